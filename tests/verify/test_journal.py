"""The logs: a relay that is well says nothing to worry its admin."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tasks.logs.part import LOG
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

# What clients do, and the machine below, is not the relay's fault. Any other warning is.
NOT_OURS = {
    r"\S+\[[\da-f.:]+\]: SASL \w+ authentication failed: authentication failure": "wrong password",
    r"\S+\[[\da-f.:]+\]: SASL PLAIN authentication failed: generic failure, sasl_username=\(": "no user name",
    r"SASL authentication failure: Password verification failed": "wrong password, in libsasl's words",
    r"SASL authentication failure: All-whitespace username": "no user name, in libsasl's words",
    r"SASL authentication failure: Requested identity not authenticated identity": "another user's name",
    r"TLS library problem: error:": "handshake that a client broke off, or a scan with what we refuse",
    r"hostname \S+ does not resolve to address": "client whose names and addresses contradict each other",
    r"Illegal address syntax from": "client that cannot spell",
    r"non-SMTP command from": "client that speaks HTTP",
    r"Connection (rate|concurrency) limit exceeded": "client in a hurry",
    r"file system clock is 1 seconds (ahead|behind)": "the kernel's two clocks, as a second begins",
    r"resetting file time stamps - this hurts performance": "what Postfix does about that",
}
# By facility (2 is mail, syslog(3)) and by name. Most of a quiet relay's journal is about the admin's logins.
WRITERS = ["SYSLOG_FACILITY=2", "+", "SYSLOG_IDENTIFIER=postfix", "+", "SYSLOG_IDENTIFIER=saslauthd"]


class Line(NamedTuple):
    """A line of the journal."""

    program: str
    text: str
    priority: int

    @property
    def worries(self) -> bool:
        """Whether it is a warning or worse, by its priority or, as Postfix writes it, by its first word."""
        return self.priority <= 4 or re.match(r"(warning|error|fatal|panic):", self.text) is not None

    @property
    def is_ours(self) -> bool:
        """Whether the relay itself is the cause."""
        text = re.sub(r"^(warning|error): ", "", self.text)
        return not any(re.match(pattern, text, re.IGNORECASE) for pattern in NOT_OURS)


def journal(relay: Relay, *options: str) -> Iterator[Line]:
    """Read what Postfix and saslauthd wrote to the journal."""
    fields = "--output-fields=SYSLOG_IDENTIFIER,MESSAGE,PRIORITY"
    command = ["journalctl", "-b", "-o", "json", fields, "--no-pager", *options, *WRITERS]
    for entry in map(json.loads, relay.remote.run(" ".join(command)).splitlines()):
        program = str(entry.get("SYSLOG_IDENTIFIER", ""))
        if program.startswith(("postfix", "saslauthd")):
            yield Line(program, str(entry["MESSAGE"]), int(entry.get("PRIORITY", 6)))


def log_file(relay: Relay, command: str) -> Iterator[Line]:
    """Read what Postfix wrote to its own log, if the relay has one, by a command such as ``cat``."""
    for line in relay.remote.run(f"test ! -e {LOG} || {command} {LOG}").splitlines():
        if found := re.fullmatch(r"\w+ +\d+ [\d:]+ \S+ (postfix[^\[]*)\[\d+\]: (.*)", line):
            yield Line(found[1], found[2], 6)


def since_last_activation(lines: Iterator[Line]) -> list[Line]:
    """Keep what was written since Postfix last began to run with a configuration."""
    kept: list[Line] = []
    for line in lines:
        if re.search(r"(starting|refreshing) the Postfix mail system", line.text):
            kept = []
        kept.append(line)
    return kept


def test_nothing_worries_since_the_last_deploy(relay: Relay) -> None:
    # Until this session began: its own refused logins and relaying are no fault.
    began = relay.remote.run(f"LC_ALL=C date -d @{relay.began} '+%b %e %T'").strip()
    before = [
        *journal(relay, f"--until=@{relay.began}"),
        *log_file(relay, f"awk -v began='{began}' 'substr($0, 1, 15) > began {{ exit }} {{ print }}'"),
    ]
    lines = since_last_activation(iter(before))
    assert lines, "the logs have nothing of Postfix"
    assert [line for line in lines if line.worries and line.is_ours] == []


@pytest.mark.needs("outside", "account")
def test_nothing_worries_while_a_user_sends_mail(
    mail_program: MailProgram, outside: Maildir, test_bed: TestBed, relay: Relay, account: Account
) -> None:
    token = new_token()
    size = relay.remote.run(f"stat -c %s {LOG} 2>/dev/null || echo 0").strip()
    cursor = relay.remote.run("journalctl -b -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()
    endpoints = [
        endpoint for endpoint in test_bed.endpoints if endpoint.relay is relay and endpoint.takes_logins
    ]
    for endpoint in endpoints:
        send(mail_program, endpoint, account, token)
    settle(token, relay.remote, outside.remote)
    assert len(outside.arrived(token, at_least=len(endpoints))) == len(endpoints)
    lines = [*journal(relay, f"--after-cursor='{cursor}'"), *log_file(relay, f"tail -c +$(({size} + 1))")]
    assert [line for line in lines if "status=sent" in line.text and token in line.text]
    assert [line for line in lines if line.worries and line.is_ours] == []


def send(program: MailProgram, endpoint: Endpoint, account: Account, token: str) -> None:
    """Send a message outside."""
    with program.log_in(endpoint, account) as conversation:
        assert conversation.envelope("somebody@relay.test", outside_address(token)).code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
