"""Lines of the relay's logs: which worry its admin, and which tell only what strangers do. Pure; no host."""

import re
from collections.abc import Container
from typing import NamedTuple

# Daemons that talk to whoever connects (smtpd(8), postscreen(8), tlsproxy(8)), whatever their syslog_name;
# not the second smtpd, that users' mail on 25 is rewritten by: its only client is the relay.
TALK_TO_STRANGERS = re.compile(r"postfix/((?!anonymize/).*/)?(smtpd|postscreen|tlsproxy)")
CLIENT = r"[^\s\[\]]+\[(unknown|[\da-f.:]+)\]"  # as Postfix names one: «unknown[203.0.113.9]»
FAILED_LOGIN = re.compile(
    rf"{CLIENT}: SASL (?P<mechanism>\S+) authentication failed: "
    r"(?P<reason>.*?)(, sasl_username=(?P<login>.*))?"
)
UNKNOWN_MECHANISM = re.compile(r"SASL authentication failure: Couldn't find mech (?P<mechanism>\S+)")
# Why a login fails where whoever checks passwords cannot be asked (sasl_errors(3), or Dovecot's words).
NOBODY_ASKED = re.compile(
    r"generic failure|no mechanism available|Invalid authentication mechanism.*|SASL library not initialized"
    r"|remote authentication server unavailable|user exists, but no verifier for user"
    r"|Connection lost to authentication server|Temporary authentication failure.*"
)
# libsasl itself turns down a login without a name, and calls that a generic failure.
NO_NAME = ("", "(unavailable)")

# What clients do is told without their names too, and the machine below is not the relay's fault either.
NOT_OURS = {
    r"SASL authentication failure: Password verification failed": "wrong password, in libsasl's words",
    r"SASL authentication failure: All-whitespace username": "no user name, in libsasl's words",
    r"SASL authentication failure: Requested identity not authenticated identity": "another user's name",
    r"SASL authentication failure: Can only find author(/en)? \(no password\)": "no password",
    r"SASL authentication failure: Got more data than we were expecting": "password with NUL",
    r"SASL authentication failure: clientinlen is > 1024 characters": "endless password or name",
    r"SASL authentication failure: (StoredKey mismatch|unable to canonify user)": "wrong login by SCRAM",
    r"SASL authentication failure: .* SCRAM-SHA-\d+(-PLUS)? input": "client that cannot speak SCRAM",
    r"TLS library problem: error:": "handshake that a client broke off, or a scan with what we refuse",
    r"disabling input from \w+ socket": "endless line, or garbage, as Postfix 3.10 goes on after it",
    r"hostname \S+ does not resolve to address": "client whose names and addresses contradict each other",
    r"valid_(ipv[46]_)?host(name|addr): ": "client that cannot spell",
    r"ignoring malformed header: ": "message with a header that Postfix 3.10 acts on, and cannot read",
    r"file system clock is 1 seconds (ahead|behind)": "the kernel's two clocks, as a second begins",
    r"resetting file time stamps - this hurts performance": "what Postfix does about that",
}


class Line(NamedTuple):
    """A line of a log."""

    program: str
    text: str
    priority: int
    """As syslog(3) has it: 4 is a warning, and less is worse."""

    @property
    def worries(self) -> bool:
        """Whether it is a warning or worse, by its priority or, as Postfix writes it, by its first word."""
        return self.priority <= 4 or re.match(r"(warning|error|fatal|panic):", self.text) is not None

    def is_ours(self, offered: Container[str]) -> bool:
        """Tell whether the relay itself is the cause, and neither a stranger nor the machine.

        :param offered: SASL mechanisms that the relay offers; a try with another one is a stranger's
        """
        text = re.sub(r"^(warning|error): ", "", self.text)
        if found := UNKNOWN_MECHANISM.fullmatch(text):
            return found["mechanism"] in offered
        if any(re.match(pattern, text) for pattern in NOT_OURS):
            return False
        if not TALK_TO_STRANGERS.fullmatch(self.program):
            return True
        if found := FAILED_LOGIN.fullmatch(text):
            nobody_asked = NOBODY_ASKED.fullmatch(found["reason"]) is not None
            is_nameless = found["reason"] == "generic failure" and found["login"] in NO_NAME
            return nobody_asked and not is_nameless and found["mechanism"] in offered
        return re.search(rf"(^|\s){CLIENT}", text) is None or re.match(r"(fatal|panic):", text) is not None
