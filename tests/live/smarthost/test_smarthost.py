"""A smarthost: users' mail goes to another server, and waits where that lets the relay not in."""

import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from lab.topology import SMARTHOST_PASSWORD, SMARTHOST_USER, user_named
from tests.support.at_once import at_once
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, Run, vary
from tests.support.mail import Maildir, letter, new_token, outside_address, trace, wait_for_deferral
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "directory")]

USER = Account(user_named("alice").uid, user_named("alice").password)
SERVER = "mx.outside.test"
WRONG = "correct-horse-9"
SECTION = """"smarthost": settings.Smarthost(
    host="{server}", port={port}, ca_file={ca!r}, username={username!r}, password_file={file!r},
)"""


class Operator:
    """Somebody who has relays hand mail to the smarthost."""

    def __init__(self, test_bed: TestBed, root: Path, directory: Path) -> None:
        """Begin with a file for the password.

        :param root: where deploy.py lies
        """
        self._test_bed, self._root = test_bed, root
        self._password = directory / "password"
        self.inventory = directory / "smarthost.py"

    def deploy(self, port: int, password: str) -> Run:
        """Have mail handed in on a port."""
        self._password.write_text(f"{password}\n")
        section = SECTION.format(
            server=SERVER,
            port=port,
            ca=str(self._test_bed.keeper.CA_CERTIFICATE),
            username=SMARTHOST_USER,
            file=str(self._password),
        )
        names = [relay.name for relay in self._test_bed.relays]
        vary(self._test_bed.inventory, self.inventory, section, names)
        return self.again()

    def again(self) -> Run:
        """Deploy what was chosen once more."""
        return Deploy(str(self.inventory), self._root).run()

    def ask_the_doctor(self) -> "subprocess.CompletedProcess[str]":
        """Have the relays looked at."""
        return quietrelay("doctor", str(self.inventory))


@pytest.fixture(scope="module")
def operator(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """Give the operator; at the end the relays deliver by themselves."""
    yield Operator(test_bed, pytestconfig.rootpath, tmp_path_factory.mktemp("operator"))
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert back.status == 0, back.complaint()
    for relay in test_bed.relays:
        assert relay.remote.run("postconf -n default_transport; postconf -M smarthost/unix 2>/dev/null") == ""


def handed_in(program: MailProgram, endpoints: list[Endpoint]) -> dict[Endpoint, str]:
    """Have a user send a letter by each endpoint, and give the letters' words."""
    tokens = {endpoint: new_token() for endpoint in endpoints}

    def send(endpoint: Endpoint) -> None:
        with program.log_in(endpoint, USER) as conversation:
            message = letter(tokens[endpoint]).as_bytes()
            reply = conversation.submit(USER.login, [outside_address(tokens[endpoint])], message)
            assert reply.code == 250, reply

    at_once(send, endpoints)
    return tokens


@pytest.mark.parametrize("port", [587, 465])
def test_users_mail_goes_to_the_smarthost_by_a_login(
    operator: Operator, test_bed: TestBed, mail_program: MailProgram, outside: Maildir, port: int
) -> None:
    run = operator.deploy(port, SMARTHOST_PASSWORD)
    assert run.status == 0, run.complaint()
    endpoints = [endpoint_of(test_bed, relay, mine) for relay in test_bed.relays for mine in (25, 465)]
    for token in handed_in(mail_program, endpoints).values():
        (message,) = outside.arrived(token, at_least=1)
        newest = trace(message_from_bytes(message))[0]
        assert f"Authenticated sender: {SMARTHOST_USER}" in newest
        assert f"by {SERVER} (Postfix) with ESMTPSA" in newest
    assert operator.again().changed == {}
    seen = operator.ask_the_doctor()
    assert f"ok       smarthost {SERVER} takes mail from this relay" in seen.stdout
    assert seen.returncode == 0, seen


def test_a_smarthost_that_refuses_the_relay_costs_no_mail_and_the_doctor_says_so(
    operator: Operator, test_bed: TestBed, mail_program: MailProgram, outside: Maildir
) -> None:
    run = operator.deploy(587, WRONG)
    assert run.status == 0, run.complaint()
    assert WRONG not in run.output + run.errors
    endpoints = [endpoint_of(test_bed, relay) for relay in test_bed.relays]
    tokens = handed_in(mail_program, endpoints)
    for endpoint, token in tokens.items():
        assert "authentication failed" in wait_for_deferral(token, endpoint.relay.remote)
    seen = operator.ask_the_doctor()
    assert seen.stdout.count("it refuses the login (535") == len(test_bed.relays), seen
    assert "correct smarthost.username or password_file" in seen.stdout
    assert WRONG not in seen.stdout + seen.stderr
    operator.deploy(587, SMARTHOST_PASSWORD)
    for endpoint, token in tokens.items():
        endpoint.relay.remote.run("postqueue -f")
        assert outside.arrived(token, at_least=1)


def test_its_password_is_roots_alone(operator: Operator, test_bed: TestBed) -> None:
    for relay in test_bed.relays:
        assert relay.remote.run("stat -c '%U:%G %a' /etc/postfix/smarthost") == "root:root 600\n"
