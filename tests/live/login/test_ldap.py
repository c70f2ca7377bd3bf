"""The directory asked in other ways: without a search, comparing passwords, by address, one server of two."""

import time
from dataclasses import dataclass

import pytest

from lab.topology import RELAY_DOMAIN, SECOND_DOMAIN, user_named
from tasks.login.saslauthd.ldap import DIRECTORY_CA
from tests.support import outages, people
from tests.support.backends import Backends, endpoint_of, let_in, replies_to_intrusions, reply
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Run
from tests.support.hammer import hammering
from tests.support.outages import LDAP, Outage
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

ALICE, CAROL = user_named("alice"), user_named("carol")
HERE, THERE = f"alice@{RELAY_DOMAIN}", f"carol@{SECOND_DOMAIN}"
NOBODYS = [
    "alice@nobody.test",
    f"alice@{SECOND_DOMAIN}",
    f"carol@{RELAY_DOMAIN}",
    f"nobody@{RELAY_DOMAIN}",
    "nobody",
]


@dataclass(frozen=True)
class Variant:
    """A login section, as Python, and the names that it accepts of those that the directory has."""

    name: str
    login: str
    accepted: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


VARIANTS = [
    Variant(
        "fastbind",
        """SaslauthdLdap(
            servers=["ldaps://directory.relay.test", f"ldaps://directory.relay.test:{SECOND_LDAPS}"],
            search_base=lab.PEOPLE_DN,
            auth_method="fastbind",
            timeout=1,
            names="both",
            domains=[lab.RELAY_DOMAIN],
            ca_file=given.ca_file,
        )""",
        ("alice", "carol", HERE, f"carol@{RELAY_DOMAIN}"),
    ),
    Variant(
        "custom",
        """SaslauthdLdap(
            servers=["ldap://directory.relay.test", f"ldap://directory.relay.test:{SECOND_LDAP}"],
            search_base=lab.BASE_DN,
            auth_method="custom",
            timeout=1,
            names="address",
            ca_file=given.ca_file,
            bind_dn=given.bind_dn,
            bind_password_file=given.bind_password_file,
        )""",
        (HERE, THERE),
    ),
    Variant(
        "both",
        """SaslauthdLdap(
            servers=["ldaps://directory.relay.test"],
            search_base=lab.PEOPLE_DN,
            names="both",
            scope="one",
            cache_seconds=4,
            ca_file=given.ca_file,
        )""",
        ("alice", "carol", HERE, THERE),
    ),
    Variant(
        "realm",
        """SaslauthdLdap(
            servers=["ldap://directory.relay.test"],
            search_base="ou=People,dc=%2,dc=%1",
            filter="(&(uid=%U)(mail=*@%r))",
            names="address",
            domains=[lab.RELAY_DOMAIN],
            ca_file=given.ca_file,
        )""",
        (HERE,),
    ),
]
(CACHING,) = (variant for variant in VARIANTS if variant.name == "both")
CACHED = 4  # seconds, as it has
PATIENCE = 20.0  # seconds
ANEW = "systemctl restart quietrelay-ldap saslauthd"
NAMES = ["alice", "carol", HERE, THERE, *NOBODYS]
PASSWORDS = {name: (CAROL if name.startswith("carol") else ALICE).password for name in NAMES}


@dataclass(frozen=True)
class Chosen:
    """A variant that the relays have, and the runs that brought it there, the second to no avail."""

    variant: Variant
    first: Run
    second: Run


@pytest.fixture(scope="module", params=VARIANTS, ids=str)
def chosen(request: pytest.FixtureRequest, backends: Backends) -> Chosen:
    """Have the relays' users log in so."""
    return Chosen(request.param, backends.choose(request.param.login), backends.run())


def test_the_names_that_are_stated_log_in_and_no_others(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    assert chosen.first.status == 0, chosen.first.complaint()
    endpoint = endpoint_of(test_bed, relay)
    replies = {name: reply(mail_program, endpoint, name, PASSWORDS[name]) for name in NAMES}
    assert replies == {name: 235 if name in chosen.variant.accepted else 535 for name in NAMES}


def test_verification_finds_the_relay_well(chosen: Chosen, backends: Backends) -> None:
    assert chosen.first.status == 0
    assert backends.verify() == ""


def test_a_wrong_password_is_refused(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    endpoint = endpoint_of(test_bed, relay)
    # A password of 127 bytes is the longest that saslauthd's LDAP module does not cut off.
    for wrong in ("wrong", "", f"{ALICE.password}x", ALICE.password[:-1], "x" * 500, "{PLAIN}x"):
        assert reply(mail_program, endpoint, chosen.variant.accepted[0], wrong) == 535, wrong


def test_a_second_run_changes_nothing(chosen: Chosen) -> None:
    assert chosen.second.changed == {}


def test_intruders_find_no_name_that_is_taken_for_a_users(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    endpoint = endpoint_of(test_bed, relay)
    name = chosen.variant.accepted[0]
    process = relay.remote.run("cat /run/saslauthd/saslauthd.pid")
    replies = replies_to_intrusions(mail_program, endpoint, Account(name.partition("@")[0], ALICE.password))
    assert let_in(replies) == []
    assert relay.remote.run("cat /run/saslauthd/saslauthd.pid") == process
    assert reply(mail_program, endpoint, name, ALICE.password) == 235


@pytest.mark.parametrize("chosen", [CACHING], ids=str, indirect=True)
def test_a_password_that_was_changed_is_cached_for_the_stated_time_and_no_longer(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram
) -> None:
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
    with people.known_to(test_bed.others["directory"], people.LEAVER) as person:
        began = time.monotonic()
        first = {endpoint: reply(mail_program, endpoint, *person.account) for endpoint in endpoints}
        person.change_password()
        at_once = {endpoint: reply(mail_program, endpoint, *person.account) for endpoint in endpoints}
        refused = {
            endpoint: until_refused(mail_program, endpoint, person.account) - began for endpoint in endpoints
        }
        anew = {endpoint: reply(mail_program, endpoint, *person.changed) for endpoint in endpoints}
    assert {*first.values(), *at_once.values(), *anew.values()} == {235}
    # The cache counts in seconds of the clock, so one more may have begun; a login takes a moment, too.
    assert all(CACHED - 1 <= seconds < CACHED + 1 for seconds in refused.values()), refused


def until_refused(program: MailProgram, endpoint: Endpoint, account: Account) -> float:
    """Log in until that fails, and tell when (a reading of time.monotonic())."""
    end = time.monotonic() + PATIENCE
    while (began := time.monotonic()) < end:
        if reply(program, endpoint, *account) == 535:
            return began
    raise AssertionError(f"{account.login} logs in for {PATIENCE} s")


@pytest.mark.parametrize("chosen", VARIANTS[:2], ids=str, indirect=True)
def test_a_changed_password_counts_at_once(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram
) -> None:
    endpoints = [
        endpoint_of(test_bed, relay) for relay in test_bed.relays
    ] * 8  # so that each worker has been asked
    name = people.LEAVER.mail if chosen.variant.name == "custom" else people.LEAVER.uid
    for relay in test_bed.relays:
        relay.remote.run("systemctl restart saslauthd")  # or it may be with the second directory
    with people.known_to(test_bed.others["directory"], people.LEAVER) as person:
        first = {reply(mail_program, endpoint, name, person.account.password) for endpoint in endpoints}
        person.change_password()
        then = {reply(mail_program, endpoint, name, person.account.password) for endpoint in endpoints}
        anew = {reply(mail_program, endpoint, name, person.changed.password) for endpoint in endpoints}
    assert (first, then, anew) == ({235}, {535}, {235})


@pytest.mark.parametrize("chosen", VARIANTS[2:], ids=str, indirect=True)  # ldaps, and StartTLS
def test_no_password_goes_to_a_directory_that_another_ca_has_certified(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram, relay: Relay
) -> None:
    endpoint, name = endpoint_of(test_bed, relay), chosen.variant.accepted[0]
    another = (
        f"cp -p {DIRECTORY_CA} /root/kept.pem; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
        f" -nodes -subj /CN=another -keyout /dev/null -out {DIRECTORY_CA} 2>&1; {ANEW}"
    )
    with outages.undone(relay.remote, another, f"mv /root/kept.pem {DIRECTORY_CA}; {ANEW}"):
        assert reply(mail_program, endpoint, name, ALICE.password) == 454
    assert reply(mail_program, endpoint, name, ALICE.password) == 235


@pytest.mark.parametrize("chosen", VARIANTS[:2], ids=str, indirect=True)
@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(outages.stopped({"slapd": 389}), id="stopped"),
        pytest.param(outages.silent(*LDAP), id="packets dropped"),
    ],
)
def test_with_one_of_two_directories_away_everybody_logs_in(
    chosen: Chosen, test_bed: TestBed, mail_program: MailProgram, outage: Outage
) -> None:
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
    for relay in test_bed.relays:
        relay.remote.run("systemctl restart saslauthd")  # or it may be with the second one already
    account = Account(chosen.variant.accepted[0], ALICE.password)
    with hammering(mail_program, endpoints, account) as attempts:
        attempts.wait_for(235)
        with outage(test_bed.others["directory"]):
            attempts.wait_for(235, times=10)
        attempts.wait_for(235)
    assert set(attempts.codes()) == {235}
