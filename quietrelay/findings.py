"""What is behind failed checks: one cause for each, with what to do about it. Everything here is pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Cause(NamedTuple):
    """Why a check failed."""

    words: str
    remedy: str = ""


FAULT = re.compile(r"(?:\w+\.)*FaultError: (?P<words>[^;\n]*); (?P<remedy>[^\n]*)")
"""What a check says in words of its own; see tests/support/fault.py."""

FOLLOWS = (
    ("postfix does not run", "nobody listens"),
    ("Postfix does not listen everywhere", "nobody listens"),
)
"""What is behind a finding, and the finding that need not be told beside it."""

KNOWN = (
    (
        r"CERTIFICATE_VERIFY_FAILED.*(?:issuer certificate|self-signed|first certificate)"
        r"|certificate_path_validation",
        Cause(
            "the certificate is not trusted, for it leads to no CA that is",
            "where a CA of your own issued it, name that: ca=... in the section certificate, or --ca FILE",
        ),
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED\W+certificate verify failed: (?P<why>[^(\n]*[^(\n ])",
        Cause("the certificate is not good ({why})", "see the section certificate, and deploy"),
    ),
    (
        r"the certificate ends in (?P<days>\d+) days",
        Cause(
            "the certificate ends in {days} days",
            "have it renewed, and see why that did not happen by itself; then deploy",
        ),
    ),
    (
        r"ConnectionRefusedError|Connection refused|Server rejected the connection",
        Cause("nobody listens", "see whether Postfix runs, and what the firewall says: quietrelay doctor"),
    ),
    (
        r"TimeoutError|timed out|No route to host|Network is unreachable",
        Cause(
            "it does not answer",
            "see the way there, firewalls on it, and whether it hangs: quietrelay doctor",
        ),
    ),
    (
        r"SMTPServerDisconnected|ConnectionResetError|BrokenPipeError|Connection unexpectedly closed",
        Cause("it hangs up", "see its log, and whether it throttles you: postscreen, anvil, fail2ban"),
    ),
    (
        r"assert 535 == 235|code=535, text=b.5\.7\.8",
        Cause("the account is refused", "see the name and the password you gave; then ask quietrelay doctor"),
    ),
    (
        r"assert 454 == 235",
        Cause("nobody could be asked for the password", "see what is away: quietrelay doctor --user NAME"),
    ),
)


def cause(error: str) -> Cause | None:
    """Tell what an error comes from; None where it has to speak for itself.

    :param error: the exception's type and message, as pytest has them
    """
    if said := FAULT.match(error):
        return Cause(**said.groupdict())
    for pattern, known in KNOWN:
        if found := re.search(pattern, error):
            return known._replace(words=known.words.format(**found.groupdict()))
    return None


def told(failures: Iterable[tuple[str, str]]) -> list[str]:
    """Write failed checks as findings, a line each: those with one cause together, in the order of the first.

    :param failures: of one relay: the check's name, and its error
    """
    together: dict[str, list[str]] = {}
    for name, error in failures:
        found = cause(error) or Cause(f"{name}: {_first_line(error)}")
        together.setdefault(found.words + (f"; {found.remedy}" if found.remedy else ""), []).append(name)
    return [
        line if len(names) == 1 else line.replace(";", f", in {len(names)} checks;", 1)
        for line, names in together.items()
        if not _follows(line, together)
    ]


def _follows(finding: str, all_findings: Iterable[str]) -> bool:
    """Tell whether another finding is behind one."""
    return any(
        finding.startswith(result) and any(one.startswith(cause) for one in all_findings)
        for cause, result in FOLLOWS
    )


def _first_line(error: str) -> str:
    line = next(iter(error.splitlines()), "").removeprefix("AssertionError: ")
    return " ".join(line.split())
