"""Directories that are no OpenLDAP: they refuse by other codes, take their time, and refer to others."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.roles.directory import LAB
from tests.support import ldap_stub
from tests.support.at_once import at_once
from tests.support.backends import Backends, endpoint_of
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.hammer import Attempt, attempt
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

PORT = 2636
PROGRAM = b64encode(Path(ldap_stub.__file__).read_bytes()).decode()
START = f"""
echo {PROGRAM} | base64 -d > /root/ldap_stub.py
systemd-run -q --unit=test-ldap --property=StandardOutput=file:/run/test-ldap --property=UMask=0 \
    python3 /root/ldap_stub.py {{}}
timeout 20 sh -c 'until grep -q listening /run/test-ldap; do sleep 0.1; done'
"""
STOP = "systemctl stop test-ldap; rm -f /root/ldap_stub.py /run/test-ldap"
PROMISED = 10.0  # seconds within which a login is answered, whatever happens

SETTINGS = f"""(
    servers=["ldaps://directory.relay.test:{PORT}"], search_base=lab.PEOPLE_DN, ca_file=given.ca_file,
    timeout=8, bind_dn=given.bind_dn, bind_password_file=given.bind_password_file,
)"""

# A directory on the relay itself needs no TLS: URL, and what the other directory is told to listen at.
HERE = {"ldap://127.0.0.1:3389": "3389", "ldapi://%2Frun%2Fdirectory": "/run/directory"}
SETTINGS_HERE = """(
    servers=[{url!r}], start_tls={start_tls}, search_base=lab.PEOPLE_DN,
    bind_dn=given.bind_dn, bind_password_file=given.bind_password_file,
)"""

RIGHT, WRONG = ldap_stub.RIGHT.decode(), "wrong"
LOCKED = [Account(f"code-{code}", RIGHT) for code in (8, 19, 32, 34, 48, 50, 53)]
OUTAGES = [Account(f"code-{code}", RIGHT) for code in (1, 10, 51, 52, 80)] + [Account("busy", RIGHT)]
LATE = ("late-3", "late-5", "late-7")


@pytest.fixture(scope="module")
def directory(test_bed: TestBed) -> Iterator[None]:
    """Have the other directory run beside the first."""
    remote = test_bed.others["directory"]
    remote.run(START.format(f"{PORT} {LAB}/certificate.pem {LAB}/key.pem"))
    yield
    remote.run(STOP)


@pytest.fixture(scope="module", params=["SaslauthdLdap", "DovecotLdap"])
def endpoints(
    request: pytest.FixtureRequest, directory: None, backends: Backends, test_bed: TestBed
) -> list[Endpoint]:
    """Have the relays ask it, by one way to log in or the other."""
    run = backends.choose(f"{request.param}{SETTINGS}")
    assert run.status == 0, run.complaint()
    return [endpoint_of(test_bed, relay) for relay in test_bed.relays]


def attempts(
    program: MailProgram, endpoints: list[Endpoint], accounts: list[Account]
) -> dict[tuple[Relay, Account], Attempt]:
    """Log in as each of them at each relay, all at once."""
    pairs = [(endpoint, account) for endpoint in endpoints for account in accounts]
    tried = at_once(lambda pair: attempt(program, *pair), pairs)
    return {(endpoint.relay, account): one for (endpoint, account), one in tried.items()}


def others_than(code: int, tried: dict[tuple[Relay, Account], Attempt]) -> dict[str, int]:
    """List those who were answered otherwise."""
    return {f"{who.login} on {relay}": one.code for (relay, who), one in tried.items() if one.code != code}


def test_a_user_whom_the_directory_refuses_is_refused_by_whatever_code_and_asked_about_once(
    endpoints: list[Endpoint], mail_program: MailProgram, test_bed: TestBed
) -> None:
    remote = test_bed.others["directory"]
    remote.run("truncate -s 0 /run/test-ldap")
    assert others_than(535, attempts(mail_program, endpoints, LOCKED)) == {}
    binds = remote.run("grep -ac 'bind code-' /run/test-ldap")
    assert int(binds) == len(LOCKED) * len(endpoints)


def test_a_directory_that_cannot_judge_refuses_nobody(
    endpoints: list[Endpoint], mail_program: MailProgram
) -> None:
    assert others_than(454, attempts(mail_program, endpoints, OUTAGES)) == {}


def test_who_needs_time_for_a_second_factor_gets_in(
    endpoints: list[Endpoint], mail_program: MailProgram
) -> None:
    tried = attempts(mail_program, endpoints, [Account(name, RIGHT) for name in LATE])
    assert others_than(235, tried) == {}
    assert max(one.seconds for one in tried.values()) < PROMISED
    tried = attempts(mail_program, endpoints, [Account(name, WRONG) for name in LATE])
    assert others_than(535, tried) == {}


def test_nobody_is_sent_to_a_server_that_the_inventory_does_not_name(
    endpoints: list[Endpoint], mail_program: MailProgram
) -> None:
    assert others_than(235, attempts(mail_program, endpoints, [Account("referred", RIGHT)])) == {}


@pytest.mark.long
@pytest.mark.parametrize("section", ["SaslauthdLdap", "DovecotLdap"])
@pytest.mark.parametrize("url", HERE)
def test_a_directory_on_the_relay_itself_is_asked_without_tls(
    backends: Backends, mail_program: MailProgram, test_bed: TestBed, url: str, section: str
) -> None:
    start_tls = False if url.startswith("ldap:") else None
    test_bed.everywhere(START.format(HERE[url]))
    try:
        run = backends.choose(section + SETTINGS_HERE.format(url=url, start_tls=start_tls))
        assert run.status == 0, run.complaint()
        endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
        for password, code in ((RIGHT, 235), (WRONG, 535)):
            tried = attempts(mail_program, endpoints, [Account("somebody", password)])
            assert others_than(code, tried) == {}
    finally:
        test_bed.everywhere(f"{STOP} /run/directory")
    assert others_than(454, attempts(mail_program, endpoints, [Account("somebody", RIGHT)])) == {}
