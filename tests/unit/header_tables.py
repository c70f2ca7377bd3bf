"""Puts headers through the relay's two tables as Postfix does, with PCRE2 and without Postfix."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from onhost.headers import Judge, Known
from tasks.host.templates import render
from tasks.privacy import ids
from tasks.privacy.part import configuration, mark_for, rules
from tasks.settings import Privacy, Settings
from tests.unit.examples import relay_with
from tests.unit.pcre import LIMIT, GivenUpError, compiled

PLAIN = relay_with()
MARK = mark_for("0123456789abcdef")


class Line(NamedTuple):
    """A line of a table, as pcre_table(5) has it."""

    word: str
    """if, endif, or nothing."""
    pattern: str
    action: str


def checked(header: str, settings: Settings = PLAIN, limit: int | None = None) -> str | None:
    """Put a header through both tables as header_checks(5) does.

    :param limit: after how many steps PCRE gives a match up, which is no match then; else that is an error
    :returns: what becomes of it; None for one that is dropped
    :raises DeferredError: for one that the guard stops
    """
    found = looked_up(_rules(settings.privacy, settings.hostname), header, limit)
    if found is None and looked_up(inline(settings, "quietrelay_judged"), header, limit) is not None:
        octets = header.encode(errors="surrogateescape").decode("latin-1")
        answer = judge(settings).answer(octets)
        if answer is not None:
            return answer.encode("latin-1").decode(errors="surrogateescape") or None
    if found is None:
        stopped = looked_up(guard_as_file(settings), header, limit)
        if stopped is not None:
            raise DeferredError(stopped)
        return header
    verb, _, text = found.partition(" ")
    assert verb in ("REPLACE", "IGNORE")
    return text if verb == "REPLACE" else None


@cache
def _rules(privacy: Privacy, hostname: str) -> str:
    return render("privacy/privacy.pcre", **rules(privacy, hostname, MARK))


class DeferredError(Exception):
    """The guard's answer."""


def guard_as_file(settings: Settings) -> str:
    """Write the guard as a file would have it (DATABASE_README, «inline» tables)."""
    return inline(settings, "quietrelay_guard")


def inline(settings: Settings, parameter: str) -> str:
    """Write a table that stands in main.cf as a file would have it."""
    return "\n".join(_inline(settings.privacy, parameter))


def judge(settings: Settings, known: Known | None = None) -> Judge:
    """Make the program that judges ids as a relay has it.

    :param known: what was rewritten; by default strangers' ids are rewritten as well
    """
    name = settings.privacy.name_in_ids(settings.hostname)
    return ids.judge(name, settings.privacy.private_domains, known)


def filtered(command: str) -> str:
    """Put an SMTP command through the filter as postconf(5), smtpd_command_filter, has it."""
    (line,) = _inline(PLAIN.privacy, "quietrelay_envelope")
    found = looked_up(line, command)
    return command if found is None else found


@cache
def _inline(privacy: Privacy, parameter: str) -> list[str]:
    value = configuration(privacy, MARK).parameters[parameter]
    assert value
    if found := re.fullmatch(r"pipemap:\{(pcre:\{.*\}), socketmap:unix:\S+:headers\}", value):
        value = found[1]
    return inline_lines(value)


def inline_lines(value: str) -> list[str]:
    """Part a table that stands in main.cf into its lines; no pattern has a slash in it."""
    lines = re.findall(r"\{(/[^/]*/ .*?)\}(?=, \{/|\}$)", value.replace("$$", "$"))
    assert value.replace("$$", "$") == f"pcre:{{{', '.join(f'{{{line}}}' for line in lines)}}}"
    return lines


@cache
def parsed(table: str) -> Sequence[Line]:
    """Part a table into its lines (pcre_table(5))."""
    return tuple(_lines(table))


def _lines(table: str) -> Iterator[Line]:
    table = re.sub(r"^(#.*)?\n", "", table, flags=re.MULTILINE)
    for line in re.sub(r"\n[ \t]+", " ", table).splitlines():
        found = re.fullmatch(r"(?:(if) )?/(.*)/(?: (\S.*))?|(endif)", line)
        assert found, line
        yield Line(found[1] or found[4] or "", found[2] or "", found[3] or "")


def looked_up(table: str, text: str, limit: int | None = None) -> str | None:
    """Look a text up in a table as pcre_table(5) does; None where nothing matches.

    :param limit: as with `checked`
    :raises GivenUpError: where PCRE gives a match up, and no limit was given
    """
    open_ifs: list[bool] = []
    for line in parsed(table):
        if line.word == "endif":
            open_ifs.pop()
        elif line.word == "if":
            open_ifs.append(all(open_ifs) and _result(line, text, limit) is not None)
        elif all(open_ifs) and (result := _result(line, text, limit)) is not None:
            return None if result == "DUNNO" else result
    return None


def _result(line: Line, text: str, limit: int | None) -> str | None:
    try:
        found = compiled(line.pattern).match(text.encode(errors="surrogateescape"), limit or LIMIT)
    except GivenUpError:
        if limit is None:
            raise
        return None
    return found.expand(line.action) if found else None
