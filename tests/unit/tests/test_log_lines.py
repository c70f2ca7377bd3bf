"""What strangers do is no fault of the relay's, and what is one is not lost among it.

The lines are Debian 12's and 13's, with addresses and times of examples.
"""

import pytest

from tests.support.log_lines import Line

OFFERED = ("PLAIN", "LOGIN")
FAILED = "warning: unknown[203.0.113.9]: SASL {} authentication failed: {}"
LIBSASL = "warning: SASL authentication failure: {}"

STRANGERS = [
    FAILED.format("LOGIN", "authentication failure, sasl_username=alice"),
    FAILED.format("PLAIN", "authentication failure, sasl_username=??"),
    FAILED.format("PLAIN", "bad protocol / cancel, sasl_username=(unavailable)"),
    FAILED.format("PLAIN", "another step is needed in authentication, sasl_username=(unavailable)"),
    FAILED.format("PLAIN", "generic failure, sasl_username=(unavailable)"),
    FAILED.format("PLAIN", "generic failure, sasl_username="),
    FAILED.format("NTLM", "no mechanism available, sasl_username=(unavailable)"),
    FAILED.format("CRAM-MD5", "no mechanism available, sasl_username=(unavailable)"),
    FAILED.format("ÿþ", "no mechanism available, sasl_username=(unavailable)"),
    FAILED.format("LOGIN", "UGFzc3dvcmQ6"),
    FAILED.format("LOGIN", "(reason unavailable), sasl_username=alice"),
    FAILED.format("NTLM", "Invalid authentication mechanism: 'NTLM', sasl_username=(unavailable)"),
    FAILED.format("LOGIN", "authentication failure, sasl_username=a, sasl_username=generic failure"),
    "warning: unknown[203.0.113.9]: SASL LOGIN authentication aborted",
    "warning: host.example.net[2001:db8::9]: SASL PLAIN authentication failed: authentication failure",
    LIBSASL.format("Password verification failed"),
    LIBSASL.format("All-whitespace username."),
    LIBSASL.format("Requested identity not authenticated identity"),
    LIBSASL.format("Can only find author (no password)"),
    LIBSASL.format("Can only find author/en (no password)"),
    LIBSASL.format("clientinlen is > 1024 characters in LOGIN plugin"),
    LIBSASL.format("Couldn't find mech NTLM"),
    LIBSASL.format("Invalid SCRAM-SHA-256 input"),
    LIBSASL.format("Nonce mismatch SCRAM-SHA-256 input"),
    LIBSASL.format("StoredKey mismatch"),
    "warning: unknown[203.0.113.9]: request longer than 2048: AUTH PLAIN AGFhYWFhYWFhYWFhYWF...",
    "warning: unknown[203.0.113.9]: request longer than 12288: YWFhYWFhYWFhYWFhYWFhYWFhYWFhYW...",
    "warning: disabling input from submission socket",
    "warning: non-SMTP command from unknown[203.0.113.9]: GET / HTTP/1.1",
    "warning: Illegal address syntax from unknown[203.0.113.9] in MAIL command: <x@-a..b>",
    "warning: Connection concurrency limit exceeded: 51 from unknown[203.0.113.9] for service smtp",
    "warning: hostname mail.example.net does not resolve to address 203.0.113.9: Name or service not known",
    "warning: TLS library problem: error:0A00009C:SSL routines::http request:../ssl/x.c:68:",
    "SSL_accept error from unknown[unknown]: Connection reset by peer",
    "SSL_accept error from unknown[203.0.113.9]: -1",
    "lost connection after AUTH from unknown[203.0.113.9]",
    "NOQUEUE: too many errors after UNKNOWN from unknown[203.0.113.9]",
]

RELAYS = [
    # saslauthd stopped, and a mechanism that is offered without its plugin
    LIBSASL.format("cannot connect to saslauthd server: No such file or directory"),
    FAILED.format("PLAIN", "generic failure, sasl_username=alice"),
    FAILED.format("LOGIN", "no mechanism available, sasl_username=(unavailable)"),
    LIBSASL.format("Couldn't find mech PLAIN"),
    FAILED.format("PLAIN", "Invalid authentication mechanism: 'PLAIN', sasl_username=(unavailable)"),
    LIBSASL.format("no users in secrets db"),
    LIBSASL.format("Invalid base64 encoding of StoredKey in SCRAM-SHA-256 per-user storage"),
    FAILED.format("PLAIN", "Connection lost to authentication server"),
    FAILED.format("LOGIN", "Temporary authentication failure, sasl_username=alice"),
    "warning: SASL: Connect to Dovecot auth socket '/run/quietrelay-dovecot/postfix' failed: No such file",
    "fatal: no SASL authentication mechanisms",
    "warning: cannot get RSA private key from file /etc/postfix/tls/relay.pem: disabling TLS support",
    "warning: No server certs available. TLS won't be enabled",
    "warning: dict_ldap_lookup: Search error -1: Can't contact LDAP server ",
    'warning: unknown smtpd restriction: "permit_everybody"',
    "warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
    "fatal: in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one",
    "panic: myfree: corrupt or unallocated memory block while serving unknown[203.0.113.9]",
]


def line(text: str, program: str = "postfix/submission/smtpd") -> Line:
    """Make a line of Postfix's own log."""
    return Line(program, text, 6)


@pytest.mark.parametrize("text", STRANGERS)
@pytest.mark.parametrize("program", ["postfix/smtpd", "postfix/submissions/smtpd"])
def test_what_a_stranger_does_is_not_the_relays_doing(program: str, text: str) -> None:
    assert not line(text, program).is_ours(OFFERED)


@pytest.mark.parametrize("text", RELAYS)
def test_the_relays_own_trouble_is_seen_among_it(text: str) -> None:
    assert line(text).worries
    assert line(text).is_ours(OFFERED)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (
            "postfix/anonymize/smtpd",
            "warning: localhost[127.0.0.1]: request longer than 2048: Received...",
        ),
        ("postfix/smtp", "warning: host mx.example.net[203.0.113.9]:25 greeted me with my own hostname"),
        ("postfix/cleanup", "warning: pcre map /etc/postfix/privacy.pcre, line 9: out of range"),
        ("postfix/master", "warning: process /usr/lib/postfix/sbin/smtpd pid 7 exit status 1"),
        ("saslauthd", "unknown[203.0.113.9]: cannot ask"),
    ],
)
def test_who_talks_to_no_stranger_has_trouble_of_the_relays(program: str, text: str) -> None:
    assert line(text, program).is_ours(OFFERED)


@pytest.mark.parametrize(
    ("text", "priority", "worries"),
    [("warning: x", 6, True), ("fatal: x", 6, True), ("connect from x", 6, False), ("x", 4, True)],
)
def test_warnings_worry_by_their_first_word_or_their_priority(
    text: str, priority: int, worries: bool
) -> None:
    assert Line("postfix/smtpd", text, priority).worries is worries


def test_a_header_that_postfix_cannot_read_is_its_writers() -> None:
    text = "warning: ignoring malformed header: 'TLS-Required: it stays'"
    assert not line(text, "postfix/cleanup").is_ours(OFFERED)
