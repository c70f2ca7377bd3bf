"""SMTP smuggling: one message handed in is one message delivered, however its lines end."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NamedTuple

import pytest

from tests.support.bed import Account, Endpoint, Relay
from tests.support.mail import LocalMail, Maildir, new_token, outside_address, settle
from tests.support.smtp import Conversation, MailProgram

# What some server takes for the end of a message. RFC 5321 4.1.1.4 knows <CR><LF>.<CR><LF> alone.
FALSE_ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "CRLF.CR": b"\r\n.\r",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "LF.CR LF": b"\n.\r\r\n",
}


class Sent(NamedTuple):
    """A message with another one inside, and what the relay answered."""

    token: str
    codes: list[int]


def smuggle(
    conversation: Conversation, token: str, sender: str, recipient: str, false_end: bytes
) -> list[int]:
    """Hand in a message that holds a second one behind a false end, envelope and all.

    :returns: the codes that the relay answers to the message, to what is smuggled, and to the closing QUIT
    """
    assert conversation.envelope(sender, recipient).code == 250
    assert conversation.say("DATA").code == 354
    smuggled = (
        f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
        f"Subject: {token} smuggled\r\n\r\nSmuggled.\r\n.\r\nQUIT\r\n"
    )
    conversation.send(f"Subject: {token}\r\n\r\nHarmless.".encode() + false_end + smuggled.encode())
    assert conversation.sock is not None
    replies = conversation.sock.makefile("rb").read()
    return [int(line[:3]) for line in replies.splitlines()]


def assert_one_each(sent: Mapping[str, Sent], arrived: list[bytes]) -> None:
    """Check that each was taken as one message or refused, and arrived accordingly."""
    assert {name: codes for name, (_, codes) in sent.items() if codes.count(250) > 1} == {}
    arrivals = {
        name: sum(token.encode() in message for message in arrived) for name, (token, _) in sent.items()
    }
    assert arrivals == {name: codes.count(250) for name, (_, codes) in sent.items()}


@pytest.mark.needs("outside", "directory")
def test_a_user_cannot_smuggle_a_message_out(
    mail_program: MailProgram, outside: Maildir, first_login_endpoint: Endpoint, account: Account
) -> None:
    batch, endpoint = new_token(), first_login_endpoint
    sent = {}
    for number, (name, false_end) in enumerate(FALSE_ENDS.items()):
        token = f"{batch}{number}x"
        with closing(mail_program.log_in(endpoint, account)) as conversation:
            codes = smuggle(conversation, token, "alice@relay.test", outside_address(token), false_end)
        sent[name] = Sent(token, codes)
    settle(batch, endpoint.relay.remote, outside.remote)
    assert_one_each(sent, outside.arrived(batch))


def test_a_stranger_cannot_smuggle_a_message_in(
    mail_program: MailProgram, local_mail: Callable[[Relay], LocalMail], endpoint_25: Endpoint
) -> None:
    batch, relay = new_token(), endpoint_25.relay
    mail = local_mail(relay)
    sent = {}
    for number, (name, false_end) in enumerate(FALSE_ENDS.items()):
        token = f"{batch}{number}x"
        with closing(mail_program.open(endpoint_25)) as conversation:
            conversation.greet()
            sender, recipient = f"{token}@elsewhere.test", f"postmaster@{relay.hostname}"
            sent[name] = Sent(token, smuggle(conversation, token, sender, recipient, false_end))
    settle(batch, relay.remote)
    assert_one_each(sent, mail.arrived(batch))
