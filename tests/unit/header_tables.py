"""Puts headers through the relay's two tables as Postfix does, without Postfix."""

import re

from tasks.host.templates import render
from tasks.privacy.part import configuration, mark_for, rules
from tasks.settings import Settings
from tests.unit.examples import relay_with

PLAIN = relay_with()
MARK = mark_for("0123456789abcdef")


def checked(header: str, settings: Settings = PLAIN) -> str | None:
    """Put a header through both tables as header_checks(5) does.

    :returns: what becomes of it; None for one that is dropped
    :raises DeferredError: for one that the guard stops
    """
    found = looked_up(
        render("privacy/privacy.pcre", **rules(settings.privacy, settings.hostname, MARK)), header
    )
    if found is None:
        stopped = looked_up(guard_as_file(settings), header)
        if stopped is not None:
            raise DeferredError(stopped)
        return header
    verb, _, text = found.partition(" ")
    assert verb in ("REPLACE", "IGNORE")
    return text if verb == "REPLACE" else None


class DeferredError(Exception):
    """The guard's answer."""


def guard_as_file(settings: Settings) -> str:
    """Write the guard as a file would have it (DATABASE_README, «inline» tables)."""
    value = configuration(settings.privacy, MARK).parameters["quietrelay_guard"]
    assert value
    lines = re.findall(r"\{(/.*?/ REJECT [^}]*)\}", value.replace("$$", "$"))
    assert len(lines) == 2
    return "\n".join(lines)


def filtered(command: str) -> str:
    """Put an SMTP command through the filter as postconf(5), smtpd_command_filter, has it."""
    value = configuration(PLAIN.privacy, MARK).parameters["quietrelay_envelope"]
    assert value
    rule = re.fullmatch(r"pcre:\{\{/(.*)/ (.*)\}\}", value.replace("$$", "$"))
    assert rule
    found = re.search(rule[1], command, re.IGNORECASE | re.DOTALL)
    return found.expand(re.sub(r"\$\{(\d+)\}", r"\\g<\1>", rule[2])) if found else command


def looked_up(table: str, header: str) -> str | None:
    """Look a header up in a table as pcre_table(5) does; None where nothing matches.

    Case is ignored and a dot matches a newline. Python's `re` agrees with PCRE on all that the patterns use.
    """
    open_ifs: list[bool] = []
    table = re.sub(r"^(#.*)?\n", "", table, flags=re.MULTILINE)
    for line in re.sub(r"\n[ \t]+", " ", table).splitlines():
        if line == "endif":
            open_ifs.pop()
            continue
        condition, pattern, action = re.fullmatch(r"(if )?/(.*)/(?: ([A-Z].*))?", line).groups()  # type: ignore[union-attr]
        found = re.search(pattern, header, re.IGNORECASE | re.DOTALL)
        if condition:
            open_ifs.append(found is not None)
        elif found and all(open_ifs):
            return found.expand(re.sub(r"\$\{(\d+)\}", r"\\g<\1>", action))
    return None
