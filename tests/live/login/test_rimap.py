"""An IMAP server judges instead of the directory, and back again."""

from dataclasses import dataclass

import pytest

from lab.topology import USERS, user_named
from tests.live.outage.test_outage import PROMISED
from tests.support import outages
from tests.support.backends import Backends, endpoint_of, let_in, replies_to_intrusions, reply
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import Run
from tests.support.hammer import hammering
from tests.support.outages import Outage
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

LOGIN = 'SaslauthdRimap(server="imaps://directory.relay.test", ca_file=given.ca_file)'
ALICE = Account("alice", user_named("alice").password)
LEFT = "ls /etc/saslauthd.conf /etc/saslauthd.ca.pem /etc/saslauthd.imap-ca.pem 2>/dev/null || true"


@dataclass(frozen=True)
class Switched:
    """The runs that brought the relays here, the second to no avail."""

    first: Run
    second: Run


@pytest.fixture(scope="module", autouse=True)
def switched(backends: Backends) -> Switched:
    """Have the IMAP server judge."""
    return Switched(backends.choose(LOGIN), backends.run())


def test_users_of_the_imap_server_log_in(
    switched: Switched, test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    assert switched.first.status == 0, switched.first.complaint()
    endpoint = endpoint_of(test_bed, relay, 587)
    refused = [user.uid for user in USERS if reply(mail_program, endpoint, user.uid, user.password) != 235]
    assert refused == []


def test_a_second_run_changes_nothing_and_nothing_is_left_of_the_directory(
    switched: Switched, relay: Relay
) -> None:
    assert switched.second.changed == {}
    assert relay.remote.run(LEFT).split() == ["/etc/saslauthd.imap-ca.pem"]


def test_verification_finds_the_relay_well(switched: Switched, backends: Backends) -> None:
    assert switched.first.status == 0
    assert backends.verify() == ""


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("nobody", ALICE.password),
        ("alice@nobody.test", ALICE.password),
        ("x", '" "x"\r\nsaslauthd LOGIN "alice" "correct-horse-7'),
        ("alice", f'{ALICE.password}"\r\nsaslauthd NOOP "'),
    ],
)
def test_a_wrong_login_is_refused(
    test_bed: TestBed, mail_program: MailProgram, relay: Relay, login: str, password: str
) -> None:
    assert reply(mail_program, endpoint_of(test_bed, relay), login, password) == 535


def test_intruders_reach_nobody_and_break_nothing(
    test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    endpoint = endpoint_of(test_bed, relay)
    process = relay.remote.run("cat /run/saslauthd/saslauthd.pid")
    assert let_in(replies_to_intrusions(mail_program, endpoint, ALICE)) == []
    assert relay.remote.run("cat /run/saslauthd/saslauthd.pid") == process
    assert reply(mail_program, endpoint, *ALICE) == 235


def test_saslauthd_runs_without_rights_of_its_own(relay: Relay) -> None:
    assert "0" not in relay.remote.run("ps -o uid= -C saslauthd").split()


def test_no_password_goes_to_the_imap_server_in_the_clear(relay: Relay) -> None:
    shown = relay.remote.run("ss -Htnp state established '( dport = :143 )'; systemctl cat saslauthd")
    assert "--imap=directory.relay.test:993" in shown
    assert ":143 " not in shown


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(outages.stopped({"dovecot": 993}), id="stopped"),
        pytest.param(outages.silent(993), id="packets dropped"),
        pytest.param(outages.strangers_imap_certificate, id="certificate wrong"),
        pytest.param(outages.imap_without_users, id="its users away"),
    ],
)
def test_while_the_imap_server_is_away_users_are_put_off_and_never_refused(
    test_bed: TestBed, mail_program: MailProgram, outage: Outage
) -> None:
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
    with hammering(mail_program, endpoints, ALICE) as attempts:
        attempts.wait_for(235)
        with outage(test_bed.others["directory"]):
            attempts.wait_for(454)
        attempts.wait_for(235)
    assert set(attempts.codes()) == {235, 454}
    assert attempts.slowest() < PROMISED
    assert reply(mail_program, endpoints[0], "alice", "wrong") == 535
