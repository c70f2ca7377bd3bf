"""Devices: old TLS on a port of its own alone, and messages as large as they may be, on every port."""

import ssl
from collections.abc import Iterator
from smtplib import SMTPException

import pytest

from lab.topology import user_named
from tests.support.at_once import at_once
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.client_host import ThisMachine
from tests.support.deploy import Deploy, vary
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "directory")]

USER = Account(user_named("alice").uid, user_named("alice").password)
PORT, LARGEST = 2525, 1_000_000  # bytes
SECTIONS = f"""
"submission": settings.Submission(insecure_tls_port={PORT}),
"queue": settings.Queue(message_bytes={LARGEST}, lifetime_days=2, bounce_lifetime_days=1),
"""
LIFETIMES = "postconf -h maximal_queue_lifetime bounce_queue_lifetime"


@pytest.fixture(scope="module")
def relays(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Relay, ...]]:
    """Give relays with such a port, and a limit that is soon reached; at the end they are as they were."""
    copy = tmp_path_factory.mktemp("operator") / "devices.py"
    inventory = vary(test_bed.inventory, copy, SECTIONS, (relay.name for relay in test_bed.relays))
    run = Deploy(inventory, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()
    assert Deploy(inventory, pytestconfig.rootpath).run().changed == {}
    yield tuple(test_bed.relays)
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert back.status == 0, back.complaint()
    for relay in test_bed.relays:
        assert f"{PORT}" not in relay.remote.run("postconf -M; ss -Hltn")
        assert relay.remote.run(LIFETIMES) == "5d\n5d\n"


class OldDevice(MailProgram):
    """A device that knows TLS 1.0 and 1.1 alone."""

    def trust(self, relay: Relay) -> ssl.SSLContext:
        """Trust whoever answers, as such devices do."""
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        return old


def on_its_port(endpoint: Endpoint) -> Endpoint:
    """Give the endpoint for devices beside another one."""
    return Endpoint(endpoint.relay, PORT, endpoint.family)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_an_old_device_sends_by_its_own_port_and_by_no_other(
    relays: tuple[Relay, ...], test_bed: TestBed, outside: Maildir
) -> None:
    device = OldDevice(ThisMachine())  # the way from the client's host is for the usual ports
    for relay in relays:
        token = new_token()
        with device.log_in(on_its_port(endpoint_of(test_bed, relay, 587)), USER) as conversation:
            assert conversation.sock.version() in ("TLSv1", "TLSv1.1")  # type: ignore[union-attr]
            reply = conversation.submit(USER.login, [outside_address(token)], letter(token).as_bytes())
            assert reply.code == 250, reply
        (message,) = outside.arrived(token, at_least=1)
        assert f"Received: by {relay.hostname} (Postfix) id".encode() in message
        for port in (25, 465, 587):
            with pytest.raises((ssl.SSLError, ConnectionResetError, SMTPException)):
                device.open_secure(endpoint_of(test_bed, relay, port))


def test_without_tls_or_a_login_nothing_is_taken_there(relays: tuple[Relay, ...], test_bed: TestBed) -> None:
    program = MailProgram(ThisMachine())
    for relay in relays:
        there = on_its_port(endpoint_of(test_bed, relay, 587))
        with program.open(there) as conversation:
            assert not [line for line in conversation.greet() if line.startswith("AUTH")]
            assert conversation.envelope(USER.login, "a@outside.test").code == 530
        with program.open_secure(there) as conversation:
            assert conversation.envelope(USER.login, "a@outside.test").refuses


def test_what_is_taken_is_delivered_and_what_is_too_large_is_refused_at_once_on_every_port(
    relays: tuple[Relay, ...], test_bed: TestBed, mail_program: MailProgram, outside: Maildir
) -> None:
    sent = [
        (endpoint_of(test_bed, relay, port), LARGEST - less, new_token())
        for relay in relays
        for port in (25, 465, 587)
        for less in (-1, 50, *range(200, 3_200, 300), 5_000)
    ]
    answers = at_once(lambda one: hand_in(mail_program, *one), sent)
    taken = [one for one, code in answers.items() if code == 250]
    assert {code for one, code in answers.items()} == {250, 552}
    assert not [one for one in taken if one[1] > LARGEST]
    assert [one for one in sent if one[1] == LARGEST - 5_000 and one not in taken] == []
    for endpoint, _, token in taken:
        settle(token, endpoint.relay.remote)
    assert [one for one in taken if len(outside.arrived(one[2])) != 1] == []


def hand_in(program: MailProgram, endpoint: Endpoint, size: int, token: str) -> int:
    """Send a message of a size, in bytes; it grows on its way, for its ids get the relay's longer name."""
    ids = "".join(f" <{number}@pc.lan>\r\n" for number in range(40))
    message = letter(token, References="<1@pc.lan>").as_bytes()
    message = message.replace(b" <1@pc.lan>\r\n", ids.encode(), 1)
    message += b"x" * ((size - len(message)) % 100) + b"\r\n"
    message += (b"x" * 98 + b"\r\n") * ((size - len(message)) // 100)
    with program.log_in(endpoint, USER) as conversation:
        return conversation.submit(USER.login, [outside_address(token)], message).code


def test_mail_waits_as_long_as_is_said(relays: tuple[Relay, ...]) -> None:
    for relay in relays:
        assert relay.remote.run(LIFETIMES) == "2d\n1d\n"
