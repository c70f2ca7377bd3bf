"""Relaying: nobody without a login gets mail out, in whatever form the recipient is written."""

import shlex

import pytest

from lab.topology import OUTSIDE_DOMAIN
from tests.support.bed import Account, Endpoint, Relay
from tests.support.fault import expect
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import Conversation, MailProgram, Reply

CLOSE = "deploy at once, or stop Postfix there: systemctl stop postfix"
ERRORS_PER_CONNECTION = 9  # after more, Postfix answers slowly (postconf(5), smtpd_soft_error_limit)


def recipients(token: str, endpoint: Endpoint, outside_addresses: list[str]) -> dict[str, str]:
    """Write an outside recipient in every form that has once fooled a mail server."""
    relay, user = endpoint.relay.hostname, outside_address(token)
    literal = f"[IPv6:{endpoint.address}]" if endpoint.family == "IPv6" else f"[{endpoint.address}]"
    return {
        "plain": user,
        "final dot": f"{user}.",
        "percent hack": f"{token}%{OUTSIDE_DOMAIN}@{relay}",
        "percent hack, relay's address": f"{token}%{OUTSIDE_DOMAIN}@{literal}",
        "percent hack, no domain": f"{token}%{OUTSIDE_DOMAIN}",
        "percent hack, twice": f"{token}%{OUTSIDE_DOMAIN}%{relay}@{relay}",
        "bang path": f"{OUTSIDE_DOMAIN}!{token}@{relay}",
        "bang path, no domain": f"{OUTSIDE_DOMAIN}!{token}",
        "bang path, over the relay": f"{relay}!{OUTSIDE_DOMAIN}!{token}",
        "quoted local part": f'"{user}"@{relay}',
        "quoted local part, no domain": f'"{user}"',
        "quoted percent hack": f'"{token}%{OUTSIDE_DOMAIN}"@{relay}',
        "quoted bang path": f'"{OUTSIDE_DOMAIN}!{token}"@{relay}',
        "source route": f"@{relay}:{user}",
        "source route, relay's address": f"@{literal}:{user}",
        "source route, within": f"{token}@{OUTSIDE_DOMAIN}@{relay}",
        **{
            f"{'IPv6' if ':' in address else 'IPv4'} literal": (
                f"{token}@[IPv6:{address}]" if ":" in address else f"{token}@[{address}]"
            )
            for address in outside_addresses
        },
    }


SENDERS = {
    "stranger": ("stranger@elsewhere.test", ""),
    "null sender": ("", ""),
    "user of the relay": ("alice@relay.test", ""),
    "postmaster of the relay": ("postmaster@{relay}", ""),
    "claims to be authenticated": ("alice@relay.test", " AUTH=alice@relay.test"),
    "claims nothing": ("stranger@elsewhere.test", " AUTH=<>"),
    "recipient": ("{user}", ""),
}


def attempt(conversation: Conversation, sender: str, recipient: str, token: str, options: str) -> Reply:
    """Try to get a message out, as far as the relay goes along."""
    reply = conversation.envelope(sender, recipient, options=options)
    if not reply.refuses:
        reply = conversation.hand_in(letter(token).as_bytes())
    return reply


def assert_nothing_gets_out(program: MailProgram, outside: Maildir, endpoint: Endpoint, *, tls: bool) -> None:
    """Try every form of recipient from every sender: each is refused, and no message arrives outside."""
    token = new_token()
    addresses = program.client_host.look_up(outside.remote.name)
    forms = recipients(token, endpoint, list(addresses.values()))
    attempts = [(who, form) for who in SENDERS for form in forms]
    accepted = {}
    for start in range(0, len(attempts), ERRORS_PER_CONNECTION):
        with program.open_secure(endpoint) if tls else program.open(endpoint) as conversation:
            conversation.ehlo_or_helo_if_needed()
            for who, form in attempts[start : start + ERRORS_PER_CONNECTION]:
                sender, options = SENDERS[who]
                sender = sender.format(relay=endpoint.relay.hostname, user=outside_address(token))
                reply = attempt(conversation, sender, forms[form], token, options)
                if not reply.refuses:
                    accepted[who, form] = reply
    assert accepted == {}
    settle(token, endpoint.relay.remote, outside.remote)
    assert outside.arrived(token) == []


@pytest.mark.needs("outside")
def test_a_stranger_gets_nothing_out_in_the_clear(
    mail_program: MailProgram, outside: Maildir, plain_endpoint: Endpoint
) -> None:
    assert_nothing_gets_out(mail_program, outside, plain_endpoint, tls=False)


@pytest.mark.needs("outside")
def test_a_stranger_gets_nothing_out_under_tls(
    mail_program: MailProgram, outside: Maildir, endpoint: Endpoint
) -> None:
    assert_nothing_gets_out(mail_program, outside, endpoint, tls=True)


@pytest.mark.needs("outside", "account")
def test_a_stranger_gets_nothing_out_after_a_failed_login(
    mail_program: MailProgram, outside: Maildir, login_endpoint: Endpoint, account: Account
) -> None:
    token = new_token()
    with mail_program.open_secure(login_endpoint) as conversation:
        assert conversation.log_in_by_plain(account._replace(password="wrong")).code == 535
        reply = attempt(conversation, "alice@relay.test", outside_address(token), token, "")
    assert reply.refuses, reply
    settle(token, login_endpoint.relay.remote, outside.remote)
    assert outside.arrived(token) == []


def test_a_stranger_may_name_no_recipient_elsewhere(mail_program: MailProgram, endpoint: Endpoint) -> None:
    # Nothing is sent, whatever the answer is.
    with mail_program.open_secure(endpoint) as conversation:
        reply = conversation.envelope("stranger@elsewhere.test", outside_address(new_token()))
    expect(reply.refuses, "whoever does not log in may send through it: an open relay", CLOSE)


SESSION_ON_THE_RELAY = """
import smtplib
for address in ("127.0.0.1", "::1"):
    with smtplib.SMTP(address, 25, "localhost") as conversation:
        conversation.ehlo()
        conversation.mail("root@localhost")
        print(*conversation.rcpt("{recipient}"))
"""


def test_being_on_the_relay_is_no_login(relay: Relay) -> None:
    script = SESSION_ON_THE_RELAY.format(recipient=outside_address(new_token()))
    heard = relay.remote.run(f"python3 -c {shlex.quote(script)}")
    codes = [int(line.split()[0]) for line in heard.splitlines()]
    assert codes, "there was no conversation"
    expect(all(500 <= code <= 599 for code in codes), "programs on it may send without logging in", CLOSE)
