"""What must not change: inbound and forwarded mail. And on every detour users' mail stays what it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lab.topology import user_named
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus_run import SENDER, Case, cases, judge_all, what_arrived
from tests.support.home import homes
from tests.support.mail import LocalMail, Maildir, outside_address, settle, wait_for_deferral
from tests.support.secrets_of import found
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)
STRANGER = "stranger@elsewhere.test"
FORWARDED = "forwarded"  # a name on the relay whose mail goes on outside


def as_it_came(case: Case) -> bytes:
    """Write a message as a stranger sent it, but for what Postfix does to everybody's.

    It drops Bcc (message_drop_headers), and blanks between a header's name and colon (RFC 5322 4.5), and
    makes a header of a first line as mailboxes have it (smtpd.c).
    """
    head, blank, body = case.sample.sent(case.values).replace(b"\r\n", b"\n").partition(b"\n\n")
    head = re.sub(rb"(?im)^bcc:.*\n", b"", head)
    head = re.sub(rb"\A(>*From )", rb"X-Mailbox-Line: \1", head)
    return re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:", head) + blank + body


def as_in_mbox(message: bytes) -> bytes:
    """Write a message as an mbox has it, where a line that begins with From would begin another."""
    return re.sub(rb"(?m)^From ", b">From ", message)


def in_lines(message: bytes) -> bytes:
    """Write a message as Postfix hands it on, which breaks lines of more than 998 bytes (RFC 5321 4.5.3.1.6).

    What is left goes on behind a blank (smtp_line_length_limit, and smtp_text_out in its smtp_proto.c).
    """
    head, blank, body = message.partition(b"\n\n")
    lines = (b"\n ".join(re.findall(rb"^.{1,998}|.{1,997}", line)) for line in head.split(b"\n"))
    return b"\n".join(lines) + blank + body


def from_strangers(
    program: MailProgram, endpoint: Endpoint, client: InventoryClient, recipient: str
) -> list[Case]:
    """Send the corpus as strangers do, without a login."""
    sent = cases([endpoint], homes(client.remote)[0], USER.login)
    with program.open_secure(endpoint) as conversation:
        for case in sent:
            reply = conversation.submit(STRANGER, [recipient], case.sample.sent(case.values), " SMTPUTF8")
            assert reply.code == 250, (case, reply)
    return sent


def differing(sent: list[Case], arrived: list[bytes], kept_as: Callable[[bytes], bytes] = bytes) -> list[str]:
    """List the messages that did not arrive once, or not as they came below the relay's own trace header."""
    faults = []
    for case in sent:
        (raw,) = [raw for raw in arrived if case.token.encode() in raw]
        expected = kept_as(as_it_came(case))
        if not raw.endswith(expected):
            faults.append(f"{case.sample}: {raw!r} does not end with {expected!r}")
        elif b"\nReceived: from " not in raw[: -len(expected)]:
            faults.append(f"{case.sample} has no trace header of ours on top")
    return faults


def test_strangers_mail_comes_in_byte_for_byte(
    test_bed: TestBed,
    relay: Relay,
    client: InventoryClient,
    mail_program: MailProgram,
    local_mail: Callable[[Relay], LocalMail],
) -> None:
    mail = local_mail(relay)
    sent = from_strangers(mail_program, endpoint(test_bed, relay, 25), client, f"postmaster@{relay.hostname}")
    settle(STRANGER, relay.remote)
    assert differing(sent, mail.arrived(sent[0].batch), as_in_mbox) == []


def test_forwarded_mail_goes_on_byte_for_byte(
    test_bed: TestBed, relay: Relay, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    batch_reader = outside_address(f"forwarded-{relay.remote.run('date +%s%N').strip()}")
    with forwarding(relay, batch_reader):
        endpoint_25 = endpoint(test_bed, relay, 25)
        sent = from_strangers(mail_program, endpoint_25, client, f"{FORWARDED}@{relay.hostname}")
        settle(batch_reader, relay.remote, outside.remote)
        settle(FORWARDED, relay.remote, outside.remote)
    assert differing(sent, outside.arrived(sent[0].batch, at_least=len(sent)), in_lines) == []


@contextmanager
def forwarding(relay: Relay, reader: str) -> Iterator[None]:
    """Have the relay forward a name's mail (aliases(5))."""
    relay.remote.run(f"echo '{FORWARDED}: {reader}' >> /etc/aliases; newaliases; postfix reload 2>&1")
    try:
        yield
    finally:
        relay.remote.run(f"sed -i '/^{FORWARDED}:/d' /etc/aliases; newaliases; postfix reload 2>&1")


def test_a_bounce_tells_nothing(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [one for one in test_bed.endpoints if one.takes_logins]
    sent = [
        case for case in cases(endpoints, homes(client.remote)[0], USER.login) if case.sample.name == "horde"
    ]
    for case in sent:
        with mail_program.log_in(
            case.endpoint, USER, case.helo.format(relay=case.relay.hostname)
        ) as conversation:
            message = case.sample.sent(case.values)
            # Whoever is named as sender gets the bounce: here somebody outside.
            reply = conversation.submit(case.recipients[0], [f"{case.token}@nowhere.test"], message)
            assert reply.code == 250, reply
    arrived = what_arrived(sent, outside)
    for case in sent:
        (bounce,) = arrived[case.recipients[0]]
        assert b"Undelivered" in bounce
        assert b"Horde Framework" not in bounce
        assert case.sample.delivered(case.values) in bounce
        assert found(bounce, case.secrets) == [], case


def test_a_queue_flushed_after_an_outage_tells_nothing(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [one for one in test_bed.endpoints if one.takes_logins and one.is_first]
    sent = cases(endpoints, homes(client.remote)[0], USER.login)
    outside.remote.run("postfix stop 2>&1")
    try:
        for one in endpoints:
            with mail_program.log_in(one, USER) as conversation:
                for case in (case for case in sent if case.endpoint is one):
                    message = case.sample.sent(case.values)
                    reply = conversation.submit(SENDER, case.recipients, message, " SMTPUTF8")
                    assert reply.code == 250, (case, reply)
        for relay in test_bed.relays:
            assert "delay_reason" in wait_for_deferral(sent[0].batch, relay.remote)
    finally:
        outside.remote.run("postfix start 2>&1")
    for relay in test_bed.relays:
        relay.remote.run("postqueue -f")
    arrived = what_arrived(sent, outside)
    assert [f"{case}: {fault}" for case in sent for fault in judge_all(case, arrived)] == []


def endpoint(test_bed: TestBed, relay: Relay, port: int) -> Endpoint:
    """Find a relay's endpoint at a port."""
    return next(one for one in test_bed.endpoints if one.relay is relay and one.port == port and one.is_first)
