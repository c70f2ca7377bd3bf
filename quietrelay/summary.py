"""What became of a run, in so few lines that they fit a screen. Everything here is pure."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

from quietrelay.inventory import named
from quietrelay.outcome import Outcome

WORST_FIRST = ("not reached", "failed", "not done", "would change", "may change", "changed")
TOLD = {"failed", "would change", "may change", "changed"}
"""What happened to something that has to be named; of the rest the number will do."""
PLANNED = ("would change", "may change")
COLOURS = {"not reached": "red", "failed": "red", "not done": "yellow", "changed": "green", "passed": "green"}
FRAME = 6  # lines of a screen that others need: the verdict, what to type next, blank lines and the prompt


class Line(NamedTuple):
    """A line, and what it is about."""

    text: str
    happened: str = ""
    """Empty for hosts and names."""


def lines(outcomes: Iterable[Outcome], width: int, height: int) -> list[Line]:
    """Say for each host what happened, hosts with the same outcome together, the worst first.

    :param width: columns of the screen
    :param height: its lines; names are left out where they would not fit, and then hosts
    """
    together: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        together.setdefault(repr(outcome.parts), []).append(outcome)
    groups = sorted(together.values(), key=lambda group: _rank(group[0].parts))
    room = height - FRAME
    written = [line for group in groups for line in _group(group, room)]
    for most in range(room, -1, -1):
        written = [line for group in groups for line in _group(group, most)]
        if len(written) <= room:
            break
    if len(written) > room:
        written = [*written[: room - 1], Line("...")]
    folded = [part for line in written for part in _folded(line, width)]
    return folded if len(folded) <= room else [line._replace(text=_cut(line.text, width)) for line in written]


def _rank(parts: Mapping[str, object]) -> int:
    return min((WORST_FIRST.index(happened) for happened in parts if happened in WORST_FIRST), default=99)


def _group(group: Sequence[Outcome], most: int) -> list[Line]:
    """Write hosts that had the same, with so many names at most in each list."""
    parts = group[0].parts
    written = [Line(named(outcome.host for outcome in group))]
    for happened in sorted(parts, key=lambda happened: _rank({happened: None})):
        names = parts[happened]
        count = f"  {len(names)}" if any(names) else ""
        written.append(Line(f"  {happened}{count}", happened))
        if happened in TOLD:
            written += [Line(f"    {name}") for name in names[:most]]
            if 0 < most < len(names):
                written.append(Line(f"    and {len(names) - most} more"))
    return written if parts else [*written, Line("  reached, and no more")]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _folded(line: Line, width: int) -> list[Line]:
    indent = " " * (len(line.text) - len(line.text.lstrip()))
    text = line.text.strip()
    folded = wrap(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ")
    return [line._replace(text=one) for one in folded]


def count(outcomes: Iterable[Outcome], *happened: str) -> int:
    """Count the hosts to which any of this happened."""
    return sum(any(one in outcome.parts for one in happened) for outcome in outcomes)


def hosts(number: int) -> str:
    """Write a number of relays."""
    return f"{number} relay" if number == 1 else f"{number} relays"


def of_plan(outcomes: Sequence[Outcome], status: int) -> str:
    """Say what a plan comes to, given pyinfra's exit status."""
    if status:
        return "The plan is not whole: see the error above. Nothing was changed."
    changing = count(outcomes, *PLANNED)
    if not changing:
        return "Nothing would change."
    return f"{hosts(changing)} would change, and what depends on that; nothing was changed yet."


def of_deploy(outcomes: Sequence[Outcome], status: int) -> str:
    """Say what a deploy comes to, given pyinfra's exit status."""
    changed = count(outcomes, "changed")
    if status and not changed and not count(outcomes, "failed"):
        return "The deploy did not begin: see the error above. Nothing was changed."
    if status:
        return "The deploy failed: see the error above. Mend that, and deploy again."
    return f"Done: {hosts(changed)} changed." if changed else "Done: nothing had to be changed."


def of_verification(outcomes: Sequence[Outcome], status: int) -> str:
    """Say what a verification comes to, given pytest's exit status."""
    if status == 0:
        return "Verified: all is as it should be."
    if count(outcomes, "failed"):
        return "Not all is as it should be: see above."
    return "Nothing was verified: see the error above."
