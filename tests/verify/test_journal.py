"""The logs: a relay that is well says nothing to worry its admin."""

import json
import re
from collections.abc import Iterable, Iterator

import pytest

from deploy import relay as desired
from tasks.host.facts.host import UNKNOWN
from tasks.logs.part import LOG
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.log_lines import Line
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

# By facility (2 is mail, syslog(3)) and by name. Most of a quiet relay's journal is about the admin's logins.
WRITERS = ["SYSLOG_FACILITY=2", "+", "SYSLOG_IDENTIFIER=postfix", "+", "SYSLOG_IDENTIFIER=saslauthd"]


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


def worries_of(relay: Relay, lines: Iterable[Line]) -> list[Line]:
    """Keep what worries and is the relay's own doing."""
    offered = desired(relay.settings, UNKNOWN).mechanisms
    return [line for line in lines if line.worries and line.is_ours(offered)]


def test_nothing_worries_since_the_last_deploy(relay: Relay) -> None:
    # Until this session began: its own refused logins and relaying are no fault.
    began = relay.remote.run(f"LC_ALL=C date -d @{relay.began} '+%b %e %T'").strip()
    before = [
        *journal(relay, f"--until=@{relay.began}"),
        *log_file(relay, f"awk -v began='{began}' 'substr($0, 1, 15) > began {{ exit }} {{ print }}'"),
    ]
    lines = since_last_activation(iter(before))
    assert lines, "the logs have nothing of Postfix"
    assert worries_of(relay, lines) == []


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
    assert worries_of(relay, lines) == []


def send(program: MailProgram, endpoint: Endpoint, account: Account, token: str) -> None:
    """Send a message outside."""
    with program.log_in(endpoint, account) as conversation:
        assert conversation.envelope("somebody@relay.test", outside_address(token)).code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
