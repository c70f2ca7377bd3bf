"""Accounts of the relay alone, in a sasldb or behind Dovecot: applied as the operator's file has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.at_once import at_once
from tests.support.backends import Backends, endpoint_of, let_in, replies_to_intrusions
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Run
from tests.support.own_accounts import (
    ALICE,
    RIGHT,
    WRONG,
    Login,
    left_on,
    offers,
    others_than,
    replies,
    served_by,
    write_accounts,
)
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory", "client")]

AT_HOME = Account("carol@other.test", "has a domain")
LEAVER = Account("leaver", "right at first")
CHANGER, CHANGED = Account("changer", "right at first"), Account("changer", "right afterwards")
JOINER = Account("joiner", "right afterwards")


@dataclass(frozen=True)
class Kind:
    """A backend that keeps accounts on the relay."""

    login: str
    """Python expression, with `{file}` for the operator's file."""
    mechanisms: tuple[str, ...]
    path: str
    """Where the accounts are."""
    group: str
    """Who may read them beside root."""
    present: set[str]
    """All that there is on a host of this backend and of any other."""


SCRAM_TOO = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
KINDS = {
    "Sasldb": Kind(
        "Sasldb(accounts_file={file!r}, mechanisms=['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1'])",
        (*SCRAM_TOO, "SCRAM-SHA-1"),
        "/etc/postfix/sasldb2",
        "postfix",
        {"/etc/postfix/sasldb2", "/etc/postfix/sasl/smtpd.conf"},
    ),
    "DovecotPasswdFile": Kind(
        "DovecotPasswdFile(accounts_file={file!r})",
        SCRAM_TOO,
        "/etc/dovecot/quietrelay.users",
        "dovecot",
        served_by(
            "quietrelay-dovecot",
            "/etc/dovecot/quietrelay.users",
            "/etc/dovecot/quietrelay.conf",
            "/etc/systemd/system/quietrelay-dovecot.service",
            "/run/quietrelay-dovecot",
            processes=["dovecot", "auth"],
        ),
    ),
}


@dataclass(frozen=True)
class History:
    """What the relays said to whom: at first, and when the file had changed."""

    kind: Kind
    chosen: Run
    first: dict[Login, int]
    offered: dict[Endpoint, set[str]]
    intrusions: dict[Relay, dict[str, int]]
    left: dict[Relay, set[str]]
    again: Run
    changed: Run
    second: dict[Login, int]
    repaired: dict[Relay, str]
    shown: str


@pytest.fixture(scope="module")
def backends(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backends]:
    """Let the tests choose another backend, and go back at the end."""
    backends = Backends(test_bed, pytestconfig.rootpath, tmp_path_factory.mktemp("operator"))
    yield backends
    backends.go_back()


@pytest.fixture(scope="module", params=KINDS)
def history(
    request: pytest.FixtureRequest,
    backends: Backends,
    test_bed: TestBed,
    mail_program: MailProgram,
    tmp_path_factory: pytest.TempPathFactory,
) -> History:
    """Go over to a backend, log in, change the file and tamper with the host, and log in again."""
    kind = KINDS[request.param]
    file = tmp_path_factory.mktemp("accounts") / "accounts"
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]

    write_accounts(file, [*RIGHT.values(), AT_HOME, LEAVER, CHANGER])
    chosen = backends.choose(kind.login.format(file=str(file)))
    assert chosen.status == 0, chosen.complaint()
    tried = RIGHT | WRONG | {"domain": AT_HOME, "leaver": LEAVER, "changer": CHANGER, "joiner": JOINER}
    first = replies(mail_program, endpoints, kind.mechanisms, tried)
    offered = offers(mail_program, endpoints)
    intrusions = at_once(
        lambda relay: replies_to_intrusions(mail_program, endpoint_of(test_bed, relay), ALICE),
        test_bed.relays,
    )
    left = left_on(test_bed.relays)
    again = backends.run()

    write_accounts(file, [ALICE, CHANGED, JOINER])
    for relay in test_bed.relays:
        relay.remote.run(f"chmod 644 {kind.path}")
    changed = backends.run()
    now = {"alice": ALICE, "leaver": LEAVER, "changer": CHANGER, "changed": CHANGED, "joiner": JOINER}
    second = replies(mail_program, endpoints, kind.mechanisms, now | {"bob": RIGHT["bob"]})
    repaired = {relay: relay.remote.run(f"stat -c '%U:%G %a' {kind.path}") for relay in test_bed.relays}
    shown = "".join(run.output + run.errors for run in (chosen, again, changed, _plan(backends, file)))
    return History(kind, chosen, first, offered, intrusions, left, again, changed, second, repaired, shown)


def _plan(backends: Backends, file: Path) -> Run:
    """Tell what a run would do that had to write every account."""
    write_accounts(file, [*RIGHT.values()])
    return backends.plan()


@pytest.mark.parametrize("about", [*RIGHT, "domain", "leaver", "changer"])
def test_an_account_logs_in_by_every_mechanism_whatever_its_password(history: History, about: str) -> None:
    assert others_than(235, history.first, [about]) == {}


@pytest.mark.parametrize("about", [*WRONG, "joiner"])
def test_a_wrong_login_is_refused_by_every_mechanism(history: History, about: str) -> None:
    assert others_than(535, history.first, [about]) == {}


def test_the_mechanisms_that_can_be_checked_are_offered_and_no_others(history: History) -> None:
    assert set(map(frozenset, history.offered.values())) == {frozenset(history.kind.mechanisms)}


def test_no_name_or_line_that_is_made_up_gets_in(history: History, relay: Relay) -> None:
    assert let_in(history.intrusions[relay]) == []


def test_nothing_of_another_backend_is_left(history: History, relay: Relay) -> None:
    assert history.left[relay] == history.kind.present


def test_a_second_run_changes_nothing(history: History) -> None:
    assert history.again.status == 0, history.again.complaint()
    assert history.again.changed == {}


def test_verification_finds_the_relay_well(history: History, backends: Backends) -> None:
    assert history.changed.status == 0
    assert backends.verify() == ""


@pytest.mark.parametrize("about", ["leaver", "changer", "bob"])
def test_who_was_removed_and_what_was_changed_is_refused_at_once(history: History, about: str) -> None:
    assert history.changed.status == 0, history.changed.complaint()
    assert others_than(535, history.second, [about]) == {}


@pytest.mark.parametrize("about", ["alice", "changed", "joiner"])
def test_who_stays_or_was_added_gets_in(history: History, about: str) -> None:
    assert others_than(235, history.second, [about]) == {}


def test_the_accounts_are_for_root_and_one_group_alone(history: History, relay: Relay) -> None:
    assert history.repaired[relay] == f"root:{history.kind.group} 640\n"


def test_no_run_shows_a_password(history: History) -> None:
    passwords = [*(account.password for account in RIGHT.values()), CHANGED.password, LEAVER.password]
    assert [one for one in passwords if one in history.shown or one.encode().hex() in history.shown] == []


@pytest.mark.parametrize("history", ["DovecotPasswdFile"], indirect=True)
def test_dovecot_checks_passwords_and_does_nothing_else(history: History, relay: Relay) -> None:
    assert relay.remote.run("ss -Hltunp | grep -c dovecot || true") == "0\n"
    processes = "$(cat /sys/fs/cgroup/system.slice/quietrelay-dovecot.service/cgroup.procs)"
    assert relay.remote.run(f"ps -o user= {processes} | sort -u") == "dovecot\n"
    # What any user of the host may enter and write to.
    sockets = "find /run/quietrelay-dovecot -type s"
    assert relay.remote.run(f"runuser -u nobody -- {sockets} -writable 2>/dev/null || true") == ""
    assert relay.remote.run(f"runuser -u postfix -- {sockets} -writable 2>/dev/null || true").split() == [
        "/run/quietrelay-dovecot/postfix"
    ]
