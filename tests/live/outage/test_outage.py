"""An outage is not a wrong password: whoever cannot be asked, the client is put off and never refused."""

import json
import shlex
from base64 import b64encode
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.support import crowd, outages
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.hammer import attempt, hammering
from tests.support.outages import LDAP, Outage
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

IN_DIRECTORY = Account(USERS[0].uid, USERS[0].password)
PROMISED = 10.0  # seconds within which a login is answered, whatever happens


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(outages.stopped({"slapd": 389}), id="stopped"),
        pytest.param(outages.silent(*LDAP), id="packets dropped"),
        pytest.param(outages.strangers_certificate, id="certificate wrong"),
        pytest.param(outages.frozen("slapd"), id="frozen"),
    ],
)
def test_while_the_directory_is_away_users_are_put_off_and_never_refused(
    test_bed: TestBed, mail_program: MailProgram, outage: Outage
) -> None:
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.port != 25]
    with hammering(mail_program, endpoints, IN_DIRECTORY) as attempts:
        attempts.wait_for(235)
        with outage(test_bed.others["directory"]):
            attempts.wait_for(454)
        attempts.wait_for(235)
    assert set(attempts.codes()) == {235, 454}
    assert attempts.slowest() < PROMISED
    assert attempt(mail_program, endpoints[0], Account("alice", "wrong")).code == 535


@pytest.mark.parametrize(
    "accident",
    [
        pytest.param("kill -KILL $(cat /run/saslauthd/saslauthd.pid)", id="gate"),
        pytest.param("pkill -KILL -x saslauthd", id="saslauthd"),
    ],
)
def test_when_what_checks_passwords_dies_nobody_is_refused_and_it_comes_back(
    test_bed: TestBed, mail_program: MailProgram, accident: str
) -> None:
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
    with hammering(mail_program, endpoints, IN_DIRECTORY) as attempts:
        attempts.wait_for(235)
        for relay in test_bed.relays:
            relay.remote.run(accident)
        attempts.wait_for(235, times=10)
    assert set(attempts.codes()) <= {235, 454}


@pytest.mark.parametrize(("password", "verdict"), [(IN_DIRECTORY.password, "OK"), ("wrong", "NO")])
def test_a_hundred_at_once_are_all_answered(relay: Relay, password: str, verdict: str) -> None:
    program = b64encode(Path(crowd.__file__).read_bytes()).decode()
    told = json.dumps([IN_DIRECTORY.login, password, 100])
    answers = relay.remote.run(f'echo {shlex.quote(told)} | python3 -c "$(echo {program} | base64 -d)"')
    assert json.loads(answers) == {verdict: 100}
