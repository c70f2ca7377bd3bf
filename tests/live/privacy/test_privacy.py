"""Privacy: what a user sends arrives, and tells nobody where and as whom it was sent."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import pytest

from lab.topology import user_named
from tests.support.bed import Account, Endpoint, Relay
from tests.support.client_host import InventoryClient
from tests.support.mail import LocalMail, Maildir, letter, new_token, outside_address, settle, trace
from tests.support.secrets_of import found
from tests.support.smtp import HELO, MailProgram

# The login is in no address of the message: where it turns up, the relay wrote it.
SENDER = "somebody@relay.test"
USER = Account(user_named("backslash").uid, user_named("backslash").password)

CLEAN_TRACE = (
    r"by {hostname} \(Postfix\) id [0-9A-Za-z]+; "
    r"[A-Z][a-z]{{2}}, +\d+ [A-Z][a-z]{{2}} \d{{4}} [\d:]{{8}} [+-]\d{{4}}( \(\w+\))?"
)

needs_others = pytest.mark.needs("outside", "client", "directory")


def hand_in(
    program: MailProgram, endpoint: Endpoint, message: EmailMessage, *tokens: str, helo: str = HELO
) -> None:
    """Send a message outside, to an address for each token."""
    with program.log_in(endpoint, USER, helo) as conversation:
        options = " SMTPUTF8" if message.policy is SMTPUTF8 else ""
        reply = conversation.envelope(SENDER, *map(outside_address, tokens), options=options)
        assert reply.code == 250, reply
        assert conversation.hand_in(message.as_bytes()).code == 250


def send(
    program: MailProgram, outside: Maildir, endpoint: Endpoint, message: EmailMessage, token: str
) -> bytes:
    """Send a message outside and return it as it arrived, which it must exactly once."""
    hand_in(program, endpoint, message, token)
    settle(token, endpoint.relay.remote, outside.remote)
    (raw,) = outside.arrived(token)
    return raw


def own_trace(raw: bytes, relay: Relay) -> list[str]:
    """List the trace headers but the one that the receiving server put on top."""
    received, *rest = trace(message_from_bytes(raw))
    assert " by mx.outside.test " in received, received
    assert f"from {relay.hostname} " in received, received
    return rest


def assert_anonymous(raw: bytes, client: InventoryClient, endpoint: Endpoint, helo: str = HELO) -> None:
    """Check that nothing tells where and as whom a message was sent, and one trace header that by us."""
    assert found(raw, [*client.traces, helo, USER.login]) == []
    (ours,) = own_trace(raw, endpoint.relay)
    assert re.fullmatch(CLEAN_TRACE.format(hostname=re.escape(endpoint.relay.hostname)), ours), ours


@needs_others
def test_mail_arrives_once_unchanged_and_anonymous(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, login_endpoint: Endpoint
) -> None:
    token = new_token()
    message = letter(token)
    raw = send(mail_program, outside, login_endpoint, message, token)
    assert_anonymous(raw, client, login_endpoint)
    arrived = message_from_bytes(raw, policy=SMTP)
    assert arrived.get_content() == message.get_content().replace("\r\n", "\n")
    for name in ("Subject", "From", "To", "Message-ID"):
        assert arrived.get_all(name) == message.get_all(name)


HELOS = [
    "[192.168.77.5]",
    "[IPv6:fd00:77::5]",
    "fd00:77::6",
    "192.168.77.6",
    "laptop",
    "by.decoy.test",
    "by {hostname} (Postfix) with ESMTPSA id 4ABCDEFGH",
    "x) by {hostname} (Postfix",
    "x;y",
    "_under_score_",
    "a" * 200,
]


@needs_others
def test_however_a_client_introduces_itself_nobody_learns_it(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    batch, endpoint = new_token(), first_login_endpoint
    helos = {
        f"{batch}{number}x": helo.format(hostname=endpoint.relay.hostname)
        for number, helo in enumerate(HELOS)
    }
    for token, helo in helos.items():
        hand_in(mail_program, endpoint, letter(token), token, helo=helo)
    settle(batch, endpoint.relay.remote, outside.remote)
    arrived = outside.arrived(batch)
    assert len(arrived) == len(helos)
    for token, helo in helos.items():
        (raw,) = (raw for raw in arrived if token.encode() in raw)
        assert_anonymous(raw, client, endpoint, helo)


@needs_others
def test_mail_to_many_is_anonymous_to_each(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    batch = new_token()
    tokens = [f"{batch}{number}x" for number in range(3)]
    hand_in(mail_program, first_login_endpoint, letter(batch), *tokens)
    settle(batch, first_login_endpoint.relay.remote, outside.remote)
    arrived = outside.arrived(batch)
    assert len(arrived) == len(tokens)
    for raw in arrived:
        assert_anonymous(raw, client, first_login_endpoint)


@needs_others
def test_mail_in_utf8_is_anonymous(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    token = new_token()
    message = letter(token, SMTPUTF8)
    message.replace_header("Subject", f"Grüße {token} пароль")
    raw = send(mail_program, outside, first_login_endpoint, message, token)
    assert_anonymous(raw, client, first_login_endpoint)
    assert f"Grüße {token} пароль".encode() in raw


DATE = "Mon, 1 Jan 2024 00:00:00 +0000"
FORGED = [
    f"from home (home [192.168.77.5]) by elsewhere.test with ESMTPSA id 4ABCDEFGH; {DATE}",
    f"by {{hostname}} (Postfix) id 4ABCDEFGH; {DATE}",
    f"from home (home [192.168.77.5]) by {{hostname}} (Postfix) with ESMTPSA id 4ABCDEFGH; {DATE}",
]


@needs_others
def test_trace_headers_that_a_client_brings_do_not_survive(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    token = new_token()
    message = letter(token)
    for forged in FORGED:
        message["Received"] = forged.format(hostname=first_login_endpoint.relay.hostname)
    raw = send(mail_program, outside, first_login_endpoint, message, token)
    assert_anonymous(raw, client, first_login_endpoint)
    assert found(raw, ["192.168.77.5", "4ABCDEFGH", "elsewhere.test"]) == []


@needs_others
def test_an_attached_message_keeps_its_own_trace(
    mail_program: MailProgram, client: InventoryClient, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    token = new_token()
    attached = letter(f"attached to {token}", Received=FORGED[0], X_Originating_IP="[192.168.77.9]")
    message = letter(token)
    message.add_attachment(attached)
    raw = send(mail_program, outside, first_login_endpoint, message, token)
    assert_anonymous(raw, client, first_login_endpoint)
    (part,) = message_from_bytes(raw, policy=SMTP).iter_attachments()
    inner = part.get_content()
    assert inner.get_all("Received") == [FORGED[0]]
    assert inner.as_bytes().splitlines() == attached.as_bytes().splitlines()


@needs_others
def test_a_header_longer_than_postfix_looks_at_tells_nothing(
    mail_program: MailProgram, outside: Maildir, client: InventoryClient, first_login_endpoint: Endpoint
) -> None:
    # Postfix cuts it off at header_size_limit (100 KiB); what is too long to be rewritten goes.
    token, endpoint = new_token(), first_login_endpoint
    made_at_home, elsewhere = "\r\n <abc@kitchen-pc>", f"\r\n{' <a@example.org>' * 60}"
    long = f"References: <x@1{'-1' * 40_000}@>{made_at_home}{elsewhere * 30}{made_at_home}\r\n"
    with mail_program.log_in(endpoint, USER) as conversation:
        assert conversation.envelope(SENDER, outside_address(token)).code == 250
        assert conversation.hand_in(long.encode() + letter(token).as_bytes()).code == 250
    settle(token, endpoint.relay.remote, outside.remote)
    (raw,) = outside.arrived(token)
    assert_anonymous(raw, client, endpoint)
    assert found(raw, ["kitchen-pc"]) == []
    assert b"References:" not in raw


@needs_others
def test_a_notification_comes_back_without_what_the_client_called_the_envelope(
    mail_program: MailProgram, outside: Maildir, first_login_endpoint: Endpoint
) -> None:
    # The server outside puts the id that it was told into its notifications (RFC 3464 2.2.1).
    token, endpoint = new_token(), first_login_endpoint
    address = outside_address(token)
    with mail_program.log_in(endpoint, USER) as conversation:
        assert conversation.say(f"MAIL FROM:<{address}> RET=HDRS ENVID=made-on-{HELO}").code == 250
        assert conversation.say(f"RCPT TO:<{address}> NOTIFY=SUCCESS").code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
    settle(token, endpoint.relay.remote, outside.remote)
    arrived = outside.arrived(token, at_least=2)
    assert len([raw for raw in arrived if b"delivery-status" in raw]) == 1
    assert [raw for raw in arrived if found(raw, [HELO]) or b"Original-Envelope-Id" in raw] == []


@pytest.mark.needs("client")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_mail_from_strangers_keeps_its_trace(
    mail_program: MailProgram,
    client: InventoryClient,
    local_mail: Callable[[Relay], LocalMail],
    endpoint_25: Endpoint,
    tls: bool,
) -> None:
    token, relay = new_token(), endpoint_25.relay
    mail = local_mail(relay)
    message = letter(token, Received=FORGED[0], X_Originating_IP="[192.168.77.9]", User_Agent="Mutt")
    with mail_program.open_secure(endpoint_25) if tls else mail_program.open(endpoint_25) as conversation:
        conversation.ehlo_or_helo_if_needed()
        reply = conversation.envelope(f"{token}@elsewhere.test", f"postmaster@{relay.hostname}")
        assert reply.code == 250, reply
        assert conversation.hand_in(message.as_bytes()).code == 250
    settle(token, relay.remote)
    (raw,) = mail.arrived(token)
    received = trace(message_from_bytes(raw))
    assert received[1:] == [FORGED[0]], received
    for word in (HELO, *client_as_seen(client, endpoint_25), f"by {relay.hostname} (Postfix) with ESMTP"):
        assert word in received[0]
    for name in ("X-Originating-IP", "User-Agent", "Message-ID", "Subject"):
        assert message_from_bytes(raw).get_all(name) == message.get_all(name)


def client_as_seen(client: InventoryClient, endpoint: Endpoint) -> list[str]:
    """Tell what a relay writes of the client: its address in the family of the endpoint."""
    return [
        f"[IPv6:{address}]" if endpoint.family == "IPv6" else f"[{address}]"
        for address in client.addresses
        if (":" in address) == (endpoint.family == "IPv6")
    ]
