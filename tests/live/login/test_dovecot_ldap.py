"""Dovecot asks the directory for Postfix: who gets in, who does not, and what an outage looks like."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.roles.directory import SECOND_LDAPS
from tests.support import outages
from tests.support.at_once import at_once
from tests.support.backends import Backends, endpoint_of, let_in, replies_to_intrusions
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Run
from tests.support.hammer import attempt, hammering
from tests.support.outages import LDAP, Outage
from tests.support.own_accounts import (
    ALICE,
    RIGHT,
    WRONG,
    Login,
    code_of,
    left_on,
    offers,
    others_than,
    replies,
    served_by,
)
from tests.support.people import LEAVER, known_to
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory", "client")]

MECHANISMS = ("PLAIN", "LOGIN")
PROMISED = 10.0  # seconds within which a login is answered, whatever happens
SERVERS = f'[*given.servers, "ldaps://directory.relay.test:{SECOND_LDAPS}"]'
LOGIN = """DovecotLdap(
    servers={servers}, search_base=given.search_base, ca_file=given.ca_file,
    bind_dn=given.bind_dn, bind_password_file=given.bind_password_file,
)"""
PRESENT = served_by(
    "quietrelay-dovecot",
    "/etc/dovecot/quietrelay.conf",
    "/etc/dovecot/quietrelay-ldap.conf",
    "/etc/dovecot/quietrelay-ldap.ca.pem",
    "/etc/systemd/system/quietrelay-dovecot.service",
    "/etc/systemd/system/quietrelay-ldap.service",
    "/run/quietrelay-dovecot",
    "/run/quietrelay-ldap",
    "/usr/local/lib/quietrelay/ldap_link.py",
    "quietrelay-ldap is active",
    "quietrelay-ldap is enabled",
    processes=["dovecot", "auth"],
)


@dataclass(frozen=True)
class Back:
    """What going back to the inventory's own backend left."""

    run: Run
    left: dict[Relay, set[str]]
    before: dict[Relay, set[str]]
    sasl: dict[Relay, str]


@pytest.fixture(scope="module")
def chosen(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Backends, Run]]:
    """Have the relays ask by Dovecot, the directory first and another one then; go back at the end."""
    backends = Backends(test_bed, pytestconfig.rootpath, tmp_path_factory.mktemp("operator"))
    yield backends, backends.choose(LOGIN.format(servers=SERVERS))
    if not backends.are_the_given:
        backends.go_back()


@pytest.fixture(scope="module")
def endpoints(chosen: tuple[Backends, Run], test_bed: TestBed) -> list[Endpoint]:
    """Give an endpoint of each relay, behind which Dovecot asks."""
    _, run = chosen
    assert run.status == 0, run.complaint()
    return [endpoint_of(test_bed, relay) for relay in test_bed.relays]


@pytest.fixture(scope="module")
def found(endpoints: list[Endpoint], mail_program: MailProgram) -> dict[Login, int]:
    """Try right and wrong passwords."""
    return replies(mail_program, endpoints, MECHANISMS, RIGHT | WRONG)


@pytest.mark.parametrize("about", RIGHT)
def test_a_user_of_the_directory_logs_in_by_every_mechanism(found: dict[Login, int], about: str) -> None:
    assert others_than(235, found, [about]) == {}


@pytest.mark.parametrize("about", WRONG)
def test_a_wrong_login_is_refused_by_every_mechanism(found: dict[Login, int], about: str) -> None:
    assert others_than(535, found, [about]) == {}


def test_what_the_directory_can_check_is_offered_and_nothing_else(
    endpoints: list[Endpoint], mail_program: MailProgram
) -> None:
    assert offers(mail_program, endpoints) == {endpoint: set(MECHANISMS) for endpoint in endpoints}


def test_no_name_or_line_that_is_made_up_gets_in(
    endpoints: list[Endpoint], mail_program: MailProgram
) -> None:
    intrusions = at_once(lambda endpoint: replies_to_intrusions(mail_program, endpoint, ALICE), endpoints)
    assert [let_in(replies) for replies in intrusions.values()] == [[]] * len(endpoints)
    assert {code_of(mail_program, endpoint, "PLAIN", ALICE) for endpoint in endpoints} == {235}


def test_verification_finds_the_relay_well(endpoints: list[Endpoint], chosen: tuple[Backends, Run]) -> None:
    assert endpoints
    assert chosen[0].verify() == ""


def test_nothing_of_another_backend_is_left(endpoints: list[Endpoint]) -> None:
    assert left_on(endpoint.relay for endpoint in endpoints) == {
        endpoint.relay: PRESENT for endpoint in endpoints
    }


def test_a_second_run_changes_nothing(chosen: tuple[Backends, Run], endpoints: list[Endpoint]) -> None:
    again = chosen[0].run()
    assert again.status == 0, again.complaint()
    assert again.changed == {}


def test_who_is_locked_removed_or_has_another_password_is_refused_at_once(
    endpoints: list[Endpoint], test_bed: TestBed, mail_program: MailProgram
) -> None:
    def codes(account: Account) -> set[int]:
        answers = at_once(lambda endpoint: code_of(mail_program, endpoint, "PLAIN", account), endpoints)
        return {*answers.values()}

    with known_to(test_bed.others["directory"], LEAVER) as leaver:
        assert codes(leaver.account) == {235}
        leaver.change_password()
        assert codes(leaver.account) == {535}
        assert codes(leaver.changed) == {235}
        leaver.lock()
        assert codes(leaver.changed) == {535}
        leaver.unlock()
        assert codes(leaver.changed) == {235}
        leaver.remove()
        assert codes(leaver.changed) == {535}


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(outages.stopped({"slapd": 389}), id="stopped"),
        pytest.param(outages.silent(*LDAP), id="packets dropped"),
        pytest.param(outages.frozen("slapd"), id="frozen"),
    ],
)
def test_nobody_notices_an_outage_of_one_of_two_servers(
    endpoints: list[Endpoint], test_bed: TestBed, mail_program: MailProgram, outage: Outage
) -> None:
    with outage(test_bed.others["directory"]):
        for endpoint in endpoints:
            attempt(mail_program, endpoint, ALICE)  # the connection that was lost may be told of
        seconds = [attempt(mail_program, endpoint, ALICE) for endpoint in endpoints]
    assert [one.code for one in seconds] == [235] * len(endpoints)


OUTAGES = {
    "stopped": outages.stopped({"slapd": 389, "slapd-second": SECOND_LDAPS}),
    "packets dropped": outages.silent(*LDAP, SECOND_LDAPS),
    "frozen": outages.frozen("slapd"),
    "certificate wrong": outages.strangers_certificate,
}


@pytest.mark.parametrize("outage", ["stopped", "packets dropped"])
def test_while_both_are_away_users_are_put_off_and_never_refused(
    endpoints: list[Endpoint], test_bed: TestBed, mail_program: MailProgram, outage: str
) -> None:
    put_off(mail_program, endpoints, test_bed, OUTAGES[outage])


def put_off(program: MailProgram, endpoints: list[Endpoint], test_bed: TestBed, outage: Outage) -> None:
    """See users put off in time while there is an outage, and let in after it."""
    with hammering(program, endpoints, ALICE, people=2) as attempts:
        attempts.wait_for(235)
        with outage(test_bed.others["directory"]):
            attempts.wait_for(454)
        attempts.wait_for(235)
    print(attempts.codes(), attempts.slowest())
    assert set(attempts.codes()) == {235, 454}
    assert attempts.slowest() < PROMISED


@pytest.fixture(scope="module")
def one_server(chosen: tuple[Backends, Run], endpoints: list[Endpoint]) -> None:
    """Leave the relays only the first server."""
    run = chosen[0].choose(LOGIN.format(servers="given.servers"))
    assert run.status == 0, run.complaint()


@pytest.mark.parametrize("outage", ["frozen", "certificate wrong"])
def test_while_the_only_one_is_away_users_are_put_off_and_never_refused(
    one_server: None, endpoints: list[Endpoint], test_bed: TestBed, mail_program: MailProgram, outage: str
) -> None:
    put_off(mail_program, endpoints, test_bed, OUTAGES[outage])


@pytest.fixture(scope="module")
def back(chosen: tuple[Backends, Run], one_server: None, test_bed: TestBed) -> Back:
    """Go back to the inventory's own backend."""
    before = left_on(test_bed.relays)
    run = chosen[0].go_back()
    sasl = {relay: relay.remote.run("postconf -h smtpd_sasl_type") for relay in test_bed.relays}
    return Back(run, left_on(test_bed.relays), before, sasl)


def test_back_at_the_inventorys_own_backend_nothing_of_dovecot_is_left(
    back: Back, mail_program: MailProgram, relay: Relay, test_bed: TestBed
) -> None:
    assert back.run.status == 0, back.run.complaint()
    assert back.before[relay] == PRESENT
    assert not [one for one in back.left[relay] if "dovecot" in one]
    assert back.sasl[relay] == "cyrus\n"
    assert code_of(mail_program, endpoint_of(test_bed, relay), "PLAIN", ALICE) == 235
