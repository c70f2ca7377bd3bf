"""Checks: what has to be true for a login to succeed, each with a way to see it. Pure; no host.

A check is a shell script, run on the host as root, that changes nothing there; its result is judged here.
Where a check fails, those that need it are skipped, so that the first to blame is the one that is named.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import SecretStr


class Account(NamedTuple):
    """Somebody who should be able to log in."""

    login: str
    password: SecretStr


class Result(NamedTuple):
    """What a check's script did: whether it exited with 0, and what it printed, errors included."""

    succeeded: bool
    output: str


@dataclass(frozen=True)
class Check:
    """Something that has to be true for a login to succeed."""

    name: str
    """What is true where all is well, for people; unique among a relay's checks."""
    script: str
    """bash(1) script."""
    judge: Callable[[Result], str]
    """Says what is wrong and what to do; nothing where all is well."""
    needs: Sequence[str] = ()
    """Names of checks that have to succeed before this one can."""
    secret: SecretStr | None = None
    """What the script reads from its standard input, in base64 and one line."""
    tells: Callable[[Result], str] = lambda result: ""
    """Says what there is to say where all is well."""


class Finding(NamedTuple):
    """How a check went, and what there is to say of it."""

    check: Check
    state: Literal["ok", "FAIL", "skipped"]
    words: str


def run(checks: Iterable[Check], ask: Callable[[Check], Result]) -> Iterator[Finding]:
    """Run one check after the other.

    :param ask: runs a check's script
    """
    not_ok = set()
    for check in checks:
        if lacking := [name for name in check.needs if name in not_ok]:
            finding = Finding(check, "skipped", f"skipped, because it needs: {lacking[0]}")
        else:
            result = ask(check)
            words = check.judge(result)
            finding = Finding(check, "FAIL" if words else "ok", words or check.tells(result))
        if finding.state != "ok":
            not_ok.add(check.name)
        yield finding


def exits_well(remedy: str) -> Callable[[Result], str]:
    """Judge by the exit status, and tell what the script said."""

    def judge(result: Result) -> str:
        return "" if result.succeeded else f"{first_line(result.output) or 'it is not so'}; {remedy}"

    return judge


def first_line(text: str) -> str:
    """Give the first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
