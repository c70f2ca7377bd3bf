"""The journal: a relay that is well says nothing to worry its admin."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.live.landscape import Account, Door, Landscape, Relay
from tests.live.mail import Maildir, letter, new_token, outside_address, settle
from tests.live.smtp import MailProgram

# What others do is their doing. Everything else that is a warning is ours, and a fault.
CAUSED_BY_CLIENTS = {
    r"[\w.-]+\[[\da-f.:]+\]: SASL \w+ authentication (failed|aborted)": "wrong password",
    r"TLS library problem: .*": "handshake that a client gave up, or a scan with ciphers that we refuse",
    r"hostname \S+ does not resolve to address \S+.*": "client whose DNS contradicts itself",
    r"(numeric|malformed|valid_hostname|Illegal address|non-SMTP|Connection (rate|concurrency)).*": (
        "odd client"
    ),
    r"do_auth +: auth failure: .*": "wrong password, as saslauthd says it",
    r"auth_ldap: .*(Invalid credentials|not found|empty).*": "wrong password or user, as saslauthd says it",
}


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
        return not any(re.match(pattern, text, re.IGNORECASE) for pattern in CAUSED_BY_CLIENTS)


def journal(relay: Relay, *options: str) -> Iterator[Line]:
    """Read what Postfix and saslauthd wrote."""
    command = ["journalctl", "-b", "-o", "json", "--no-pager", *options]
    for entry in map(json.loads, relay.remote.run(" ".join(command)).splitlines()):
        program = str(entry.get("SYSLOG_IDENTIFIER", ""))
        if program.startswith(("postfix", "saslauthd")):
            yield Line(program, str(entry["MESSAGE"]), int(entry.get("PRIORITY", 6)))


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
    lines = since_last_activation(journal(relay, f"--until=@{relay.began}"))
    assert lines, "the journal does not tell when Postfix began to run"
    assert [line for line in lines if line.worries and line.is_ours] == []


@pytest.mark.needs("outside", "account")
def test_nothing_worries_while_a_user_sends_mail(
    mail_program: MailProgram, outside: Maildir, landscape: Landscape, relay: Relay, account: Account
) -> None:
    token = new_token()
    cursor = relay.remote.run("journalctl -b -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()
    doors = [door for door in landscape.doors if door.relay is relay and door.takes_logins]
    for door in doors:
        send(mail_program, door, account, token)
    settle(token, relay.remote, outside.remote)
    assert len(outside.arrived(token, at_least=len(doors))) == len(doors)
    lines = list(journal(relay, f"--after-cursor='{cursor}'"))
    assert [line for line in lines if "status=sent" in line.text and token in line.text]
    assert [line for line in lines if line.worries] == []


def send(program: MailProgram, door: Door, account: Account, token: str) -> None:
    """Send a message outside."""
    with program.log_in(door, account) as conversation:
        assert conversation.envelope("somebody@relay.test", outside_address(token)).code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
