"""A week of an attacked relay's log: the kinds of lines that the internet leaves there, by the thousand."""

import random
from collections.abc import Iterable, Iterator

from tasks.logs.part import LOG
from tests.support.bed import Relay

SEED = 20251120
USERS = ("admin", "info", "test", "postmaster", "sales", "scanner", "alice", "", "(unavailable)")
NAMES = ("unknown", "unknown", "unknown", "scan-07.research.example.net", "host9.dsl.example.org")
KINDS = (
    # how often, and what is said; the daemon says each of them of a client
    (30, "connect from {client}"),
    (20, "disconnect from {client} ehlo=1 auth=0/1 commands=1/2"),
    (9, "lost connection after AUTH from {client}"),
    (6, "lost connection after CONNECT from {client}"),
    (
        30,
        "warning: {client}: SASL LOGIN authentication failed: authentication failure, sasl_username={user}",
    ),
    (20, "warning: {client}: SASL PLAIN authentication failed: authentication failure, sasl_username={user}"),
    (5, "warning: {client}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={user}"),
    (3, "warning: {client}: SASL LOGIN authentication failed: bad protocol / cancel, sasl_username={user}"),
    (2, "warning: {client}: SASL NTLM authentication failed: no mechanism available, sasl_username={user}"),
    (
        2,
        "warning: {client}: SASL CRAM-MD5 authentication failed: no mechanism available,"
        " sasl_username={user}",
    ),
    (1, "warning: {client}: SASL PLAIN authentication failed: generic failure, sasl_username=(unavailable)"),
    (1, "warning: {client}: request longer than 2048: AUTH PLAIN AGFhYWFhYWFhYWFhYWF..."),
    (20, "warning: SASL authentication failure: Password verification failed"),
    (2, "warning: SASL authentication failure: All-whitespace username."),
    (1, "warning: SASL authentication failure: Couldn't find mech NTLM"),
    (5, "warning: hostname {name} does not resolve to address {address}: Name or service not known"),
    (5, "SSL_accept error from {client}: -1"),
    (3, "SSL_accept error from {client}: Connection reset by peer"),
    (
        4,
        "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:"
        "../ssl/statem/statem_srvr.c:1657:",
    ),
    (2, "warning: non-SMTP command from {client}: GET / HTTP/1.1"),
    (2, "improper command pipelining after CONNECT from {client}: \\026\\003\\001"),
    (3, "warning: Connection rate limit exceeded: 61 from {client} for service submissions"),
    (2, "warning: Connection concurrency limit exceeded: 51 from {client} for service submission"),
    (1, "warning: AUTH command rate limit exceeded: 31 from {client} for service submissions"),
    (2, "NOQUEUE: too many errors after AUTH from {client}"),
    (3, "timeout after AUTH from {client}"),
    (
        6,
        "NOQUEUE: reject: RCPT from {client}: 454 4.7.1 <x@example.net>: Relay access denied;"
        " from=<spam@example.org> to=<x@example.net> proto=ESMTP helo=<User>",
    ),
    (1, "warning: Illegal address syntax from {client} in MAIL command: <x@-a..b>"),
)
DAEMONS = ("postfix/smtpd", "postfix/submission/smtpd", "postfix/submissions/smtpd")


def week(lines: int, began: str, host: str) -> Iterator[str]:
    """Write lines of such a log, as Postfix writes its own.

    :param lines: how many
    :param began: time stamp of all of them, as syslog has it
    :param host: the relay's name
    """
    chance = random.Random(SEED)  # noqa: S311  the same week each time
    often = [weight for weight, _ in KINDS]
    for _, text in chance.choices(KINDS, often, k=lines):
        address = f"203.0.113.{chance.randrange(256)}"
        if chance.random() < 0.1:
            address = f"2001:db8::{chance.randrange(65536):x}"
        name, user = chance.choice(NAMES), chance.choice(USERS)
        said = text.format(client=f"{name}[{address}]", name=name, address=address, user=user)
        yield f"{began} {host} {chance.choice(DAEMONS)}[{chance.randrange(300, 30000)}]: {said}"


def leave(relay: Relay, lines: Iterable[str]) -> None:
    """Leave lines in the log of a relay that has one of its own."""
    writing = relay.remote.start(f"test ! -e {LOG} || cat >> {LOG}")
    writing.communicate("".join(f"{line}\n" for line in lines))
    assert writing.returncode == 0


def stamp_on(relay: Relay) -> str:
    """Give a relay's time as syslog writes it."""
    return relay.remote.run("LC_ALL=C date '+%b %e %T'").strip()
