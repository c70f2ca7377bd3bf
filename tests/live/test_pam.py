"""Accounts of the host: PAM judges instead of the directory, and back again."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.live.deploy import Deploy, Run
from tests.live.landscape import Account, Landscape, Relay
from tests.live.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

INVENTORY = """
import runpy

from tasks.settings import SaslauthdPam

_hosts, _data = runpy.run_path({inventory!r})["relays"]
relays = (_hosts, _data | {{"login": SaslauthdPam()}})
"""

ACCOUNTS = [
    Account("pam-plain", "correct horse 8"),
    Account("pam-odd", "#%u \"quoted\" 'twice' $HOME\\ Grüße"),
    Account("pam-locked", "was right once"),
    Account("pam-expired", "was right last year"),
]
GOOD, ODD, LOCKED, EXPIRED = ACCOUNTS
IN_DIRECTORY = Account(USERS[0].uid, USERS[0].password)


@dataclass(frozen=True)
class History:
    """What the relays said to whom, with PAM and back with the directory."""

    to_pam: Run
    again: Run
    with_pam: dict[tuple[Relay, int, Account], int]
    process: dict[Relay, str]
    left_of_ldap: dict[Relay, str]
    back: Run
    with_ldap: dict[tuple[Relay, int, Account], int]
    left_of_pam: dict[Relay, str]


@pytest.fixture(scope="module")
def history(
    landscape: Landscape,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[History]:
    """Make accounts, go over to PAM, log in, go back, log in again; the accounts are gone at the end."""
    inventory = tmp_path_factory.mktemp("operator") / "pam.py"
    inventory.write_text(INVENTORY.format(inventory=str(Path(landscape.inventory).resolve())))
    pam, ldap = (Deploy(name, pytestconfig.rootpath) for name in (str(inventory), landscape.inventory))

    def everywhere(script: str) -> dict[Relay, str]:
        return {relay: relay.remote.run(script) for relay in landscape.relays}

    def replies() -> dict[tuple[Relay, int, Account], int]:
        return {
            (door.relay, door.port, account): reply(mail_program, landscape, door.relay, door.port, account)
            for door in landscape.doors
            if door.is_first and door.port != 25
            for account in [*ACCOUNTS, IN_DIRECTORY, Account(GOOD.login, "wrong"), Account(GOOD.login, "")]
        }

    everywhere(making(ACCOUNTS))
    try:
        to_pam, again, with_pam = pam.run(), pam.run(), replies()
        process = everywhere("grep -h ^CapEff /proc/$(cat /run/saslauthd/saslauthd.pid)/status")
        left_of_ldap = everywhere("ls /etc/saslauthd.conf /etc/saslauthd.ca.pem 2>/dev/null || true")
        back, with_ldap = ldap.run(), replies()
        left_of_pam = everywhere("ls /etc/pam.d/smtp 2>/dev/null || true")
        yield History(to_pam, again, with_pam, process, left_of_ldap, back, with_ldap, left_of_pam)
    finally:
        everywhere("\n".join(f"userdel {account.login}" for account in ACCOUNTS))
        ldap.run()


def making(accounts: list[Account]) -> str:
    """Write the commands that make the accounts, one of them locked and one expired."""
    lines = [f"useradd --no-create-home {account.login}" for account in accounts]
    lines += [f"printf '%s\\n' {shlex.quote(':'.join(account))} | chpasswd" for account in accounts]
    return "\n".join(
        ["set -e", *lines, f"usermod --lock {LOCKED.login}", f"chage --expiredate 2020-01-01 {EXPIRED.login}"]
    )


def reply(program: MailProgram, landscape: Landscape, relay: Relay, port: int, account: Account) -> int:
    """Log in, and return the reply's code."""
    (door, *_) = [door for door in landscape.doors if door.relay is relay and door.port == port]
    with program.open_secure(door) as conversation:
        return conversation.log_in_by_plain(account).code


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize("account", [GOOD, ODD], ids=lambda account: account.login)
def test_an_account_of_the_host_logs_in(history: History, relay: Relay, port: int, account: Account) -> None:
    assert history.to_pam.status == 0, history.to_pam.complaint()
    assert history.with_pam[relay, port, account] == 235


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize(
    "account",
    [LOCKED, EXPIRED, IN_DIRECTORY, Account(GOOD.login, "wrong"), Account(GOOD.login, "")],
    ids=lambda account: f"{account.login}-{len(account.password)}",
)
def test_whom_the_host_does_not_let_in_is_refused(
    history: History, relay: Relay, port: int, account: Account
) -> None:
    assert history.with_pam[relay, port, account] == 535


def test_a_second_run_with_pam_changes_nothing(history: History) -> None:
    assert history.again.changed == {}


def test_saslauthd_has_no_capability_beside_being_root(history: History, relay: Relay) -> None:
    assert history.process[relay].split() == ["CapEff:", "0000000000000000"]


def test_nothing_of_the_directory_is_left_with_pam(history: History, relay: Relay) -> None:
    assert history.left_of_ldap[relay] == ""


@pytest.mark.parametrize("port", [465, 587])
def test_back_at_the_directory_its_users_are_let_in_and_others_are_not(
    history: History, relay: Relay, port: int
) -> None:
    assert history.back.status == 0, history.back.complaint()
    assert history.with_ldap[relay, port, IN_DIRECTORY] == 235
    assert history.with_ldap[relay, port, GOOD] == 535
    assert history.left_of_pam[relay] == ""
