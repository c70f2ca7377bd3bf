"""What strangers try on every relay worries nobody, and the relay's own trouble does."""

import smtplib
import time
from base64 import b64encode
from collections.abc import Callable

import pytest

from tasks.logs.part import LOG
from tests.support import attacks
from tests.support.at_once import at_once
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.log_lines import Line
from tests.support.smtp import MailProgram
from tests.verify.test_journal import journal, log_file, worries_of

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

Logged = Callable[[Relay, tuple[str, ...], str], list[Line]]

WEEK = 30_000  # lines
PATIENCE = 10  # seconds until what was said has to be in the log
NOBODY = Account("nobody-by-this-name", "wrong")
# What is said once TLS is on, and what of it the log has to show.
TRIES = {
    ("AUTH NTLM",): "SASL NTLM authentication failed",
    ("AUTH CRAM-MD5",): "SASL CRAM-MD5 authentication failed",
    ("AUTH LOGIN", "*"): "SASL LOGIN authentication aborted",
    ("AUTH LOGIN", "%%%"): "SASL LOGIN authentication failed: another step",
    ("AUTH LOGIN", b64encode(b"x" * 1000).decode(), ""): "SASL LOGIN authentication failed: ",
    ("AUTH PLAIN", ""): "SASL PLAIN authentication failed: bad protocol / cancel",
    ("AUTH PLAIN " + b64encode(b"\0\0wrong").decode(),): "SASL PLAIN authentication failed: generic failure",
    ("AUTH PLAIN " + b64encode(b"\0" + b"x" * 3000 + b"\0x").decode(),): "request longer than 2048",
    ("GET / HTTP/1.1",): "non-SMTP command",
    ("NONSENSE",) * 25: "too many errors",
}


@pytest.fixture
def logged(mail_program: MailProgram, test_bed: TestBed) -> Logged:
    """Say something to a relay, and give what it logs up to a line with certain words."""

    def say(relay: Relay, said: tuple[str, ...], until: str) -> list[Line]:
        cursor = relay.remote.run("journalctl -b -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()
        end = relay.remote.run(f"cat {LOG} 2>/dev/null | wc -c").strip()
        at_once(lambda port: talk(mail_program, endpoint_of(test_bed, relay, port), said), (465, 587))
        lines: list[Line] = []
        patience = time.monotonic() + PATIENCE
        while not any(until in line.text for line in lines) and time.monotonic() < patience:
            own = log_file(relay, f"tail -c +$(({end} + 1))")
            lines = [*journal(relay, f"--after-cursor='{cursor}'"), *own]
        return lines

    return say


def talk(program: MailProgram, endpoint: Endpoint, said: tuple[str, ...]) -> None:
    """Say all of it, unless the relay hangs up."""
    conversation = program.open_secure(endpoint)
    try:
        for line in said:
            conversation.say(line)
    except smtplib.SMTPServerDisconnected:
        pass
    finally:
        conversation.close()


@pytest.mark.parametrize("said", TRIES, ids=lambda said: said[0][:20])
def test_what_a_stranger_tries_is_logged_and_worries_nobody(
    logged: Logged, relay: Relay, said: tuple[str, ...]
) -> None:
    lines = logged(relay, said, TRIES[said])
    assert [line for line in lines if TRIES[said] in line.text], lines
    assert worries_of(relay, lines) == []


def test_that_nobody_can_be_asked_for_passwords_worries(logged: Logged, relay: Relay) -> None:
    said = ("AUTH PLAIN " + b64encode(b"\0%s\0%s" % tuple(word.encode() for word in NOBODY)).decode(),)
    relay.remote.run("systemctl stop saslauthd")
    try:
        lines = logged(relay, said, "SASL PLAIN authentication failed")
    finally:
        relay.remote.run("systemctl start saslauthd")
    assert [line for line in worries_of(relay, lines) if "SASL PLAIN authentication failed" in line.text]


def test_a_week_of_attacks_worries_nobody_and_the_relays_own_trouble_is_found_in_it(relay: Relay) -> None:
    stamp, size = attacks.stamp_on(relay), relay.remote.run(f"stat -c %s {LOG}").strip()
    lines = list(attacks.week(WEEK, stamp, relay.name))
    own = (
        "warning: SASL authentication failure: cannot connect to saslauthd server: No such file or directory"
    )
    lines.insert(WEEK // 2, f"{stamp} {relay.name} postfix/submission/smtpd[77]: {own}")
    try:
        attacks.leave(relay, lines)
        read = list(log_file(relay, f"tail -c +$(({size} + 1))"))
        assert len(read) >= len(lines)
        assert [line.text for line in worries_of(relay, read)] == [own]
    finally:
        relay.remote.run(f"truncate -s {size} {LOG}")
