"""Accounts of the host: PAM judges instead of the directory, and back again."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from lab.topology import USERS
from tests.support.at_once import at_once
from tests.support.backends import Backends, endpoint_of, let_in, replies_to_intrusions, reply
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import Run
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

# A wrong password is answered at once; pam_unix(8) else takes two seconds.
LOGIN = 'SaslauthdPam(auth=["required pam_unix.so nodelay"])'

ACCOUNTS = [
    Account("pam-plain", "correct horse 8"),
    Account("pam-odd", "#%u \"quoted\" 'twice' $HOME\\ Grüße"),
    Account("pam-locked", "was right once"),
    Account("pam-expired", "was right last year"),
    Account("pam-leaver", "right at first"),
]
GOOD, ODD, LOCKED, EXPIRED, LEAVER = ACCOUNTS
CHANGED = Account(LEAVER.login, "right afterwards")
IN_DIRECTORY = Account(USERS[0].uid, USERS[0].password)
WRONG = [
    Account(GOOD.login, "wrong"),
    Account(GOOD.login, ""),
    Account(f"{GOOD.login}@nobody.test", GOOD.password),
    Account("root", ""),
]


@dataclass(frozen=True)
class History:
    """What the relays said to whom, with PAM and back with the directory."""

    to_pam: Run
    again: Run
    with_pam: dict[tuple[Relay, int, Account], int]
    let_in: list[str]
    revoked: dict[str, set[int]]
    process: dict[Relay, str]
    left_of_ldap: dict[Relay, str]
    verified: str
    back: Run
    with_ldap: dict[tuple[Relay, int, Account], int]
    left_of_pam: dict[Relay, str]


@pytest.fixture(scope="module")
def history(test_bed: TestBed, mail_program: MailProgram, backends: Backends) -> Iterator[History]:
    """Make accounts, go over to PAM, log in, go back, log in again; the accounts are gone at the end."""
    everywhere = test_bed.everywhere

    def replies(accounts: list[Account]) -> dict[tuple[Relay, int, Account], int]:
        return at_once(
            lambda login: reply(mail_program, endpoint_of(test_bed, login[0], login[1]), *login[2]),
            product(test_bed.relays, (465, 587), accounts),
        )

    def revoked() -> Iterator[tuple[str, set[int]]]:
        yield "at first", {*replies([LEAVER]).values()}
        everywhere(password_of(CHANGED))
        yield "changed", {*replies([LEAVER]).values()}
        yield "anew", {*replies([CHANGED]).values()}
        everywhere(f"usermod --lock {LEAVER.login}")
        yield "locked", {*replies([CHANGED]).values()}
        everywhere(f"usermod --unlock {LEAVER.login}")
        yield "unlocked", {*replies([CHANGED]).values()}
        everywhere(f"userdel {LEAVER.login}")
        yield "removed", {*replies([CHANGED]).values()}

    everywhere(making(ACCOUNTS))
    try:
        to_pam, again = backends.choose(LOGIN), backends.run()
        with_pam = replies([*ACCOUNTS, IN_DIRECTORY, *WRONG])
        intruders = [
            about
            for relay in test_bed.relays
            for about in let_in(replies_to_intrusions(mail_program, endpoint_of(test_bed, relay), GOOD))
        ]
        refused = dict(revoked())
        process = everywhere("grep -h ^CapEff /proc/$(pgrep -o -x saslauthd)/status")
        left_of_ldap = everywhere("ls /etc/saslauthd.conf /etc/saslauthd.ca.pem 2>/dev/null || true")
        verified = backends.verify()
        back, with_ldap = backends.go_back(), replies([IN_DIRECTORY, GOOD])
        left_of_pam = everywhere("ls /etc/pam.d/smtp 2>/dev/null || true")
        yield History(
            *(to_pam, again, with_pam, intruders, refused, process),
            *(left_of_ldap, verified, back, with_ldap, left_of_pam),
        )
    finally:
        everywhere("\n".join(f"userdel {account.login} 2>&1 || test $? = 6" for account in ACCOUNTS))


def making(accounts: list[Account]) -> str:
    """Write the commands that make the accounts, one of them locked and one expired."""
    lines = [f"useradd --no-create-home {account.login}" for account in accounts]
    lines += map(password_of, accounts)
    return "\n".join(
        ["set -e", *lines, f"usermod --lock {LOCKED.login}", f"chage --expiredate 2020-01-01 {EXPIRED.login}"]
    )


def password_of(account: Account) -> str:
    """Write the command that gives an account its password."""
    return f"printf '%s\\n' {shlex.quote(':'.join(account))} | chpasswd"


def test_verification_finds_the_relay_well(history: History) -> None:
    assert history.verified == ""


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize("account", [GOOD, ODD], ids=lambda account: account.login)
def test_an_account_of_the_host_logs_in(history: History, relay: Relay, port: int, account: Account) -> None:
    assert history.to_pam.status == 0, history.to_pam.complaint()
    assert history.with_pam[relay, port, account] == 235


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize(
    "account",
    [LOCKED, EXPIRED, IN_DIRECTORY, *WRONG],
    ids=lambda account: f"{account.login}-{len(account.password)}",
)
def test_whom_the_host_does_not_let_in_is_refused(
    history: History, relay: Relay, port: int, account: Account
) -> None:
    assert history.with_pam[relay, port, account] == 535


def test_who_may_no_longer_log_in_cannot_at_once(history: History) -> None:
    assert history.revoked == {
        "at first": {235},
        "changed": {535},
        "anew": {235},
        "locked": {535},
        "unlocked": {235},
        "removed": {535},
    }


def test_intruders_reach_nobody(history: History) -> None:
    assert history.let_in == []


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
