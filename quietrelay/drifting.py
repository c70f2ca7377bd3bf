"""Tells what of relays differs from the inventory: pyinfra plans, and what its operations found is told."""

import json
from collections.abc import Iterator, Sequence

import click

from quietrelay import summary, underneath
from quietrelay.deploying import UNDERNEATH, limited
from quietrelay.outcome import Outcome
from quietrelay.places import DRIFT

SAME, DIFFERENT, UNSEEN = 0, 1, 2


def drift(inventory: str, limits: Sequence[str], days: int | None, as_json: bool) -> int:
    """Look at relays, print what differs, and give the exit status.

    :param days: for how many certificates have to be valid still; by default as the inventory says
    :param as_json: whether it is printed for a program, and nothing else
    """
    words = [inventory, underneath.shortest(DRIFT), "--dry", "--json", *limited(limits)]
    found = [judged(one, days) for one in underneath.run([UNDERNEATH, *words], quiet=True).outcomes]
    status = status_of(found)
    if as_json:
        click.echo(json.dumps({"status": status, "relays": [told(one) for one in found]}))
    else:
        for text, colour in lines(found):
            click.secho(text, fg=colour)
        click.secho(f"\n{verdict(found)}", fg="red" if status else "green")
    return status


def judged(seen: Outcome, days: int | None) -> Outcome:
    """Count a certificate that expires soon among the differences."""
    left = seen.certificate_days
    least = seen.certificate_least if days is None else days
    if seen.looked and left is not None and left < least:
        words = f"is valid for {left} more days" if left >= 0 else "has expired"
        seen.differences.append({"what": "certificate", "words": words, "mended": False})
    return seen


def status_of(found: Sequence[Outcome]) -> int:
    """Give the exit status: a relay that was not seen counts for more than what others are like."""
    if not found or not all(one.looked for one in found):
        return UNSEEN
    return DIFFERENT if any(one.differences for one in found) else SAME


def told(seen: Outcome) -> dict[str, object]:
    """Tell a program of a relay."""
    return {
        "host": seen.host,
        "looked": seen.looked,
        "certificate_days": seen.certificate_days,
        "differences": seen.differences if seen.looked else [],
    }


def lines(found: Sequence[Outcome]) -> Iterator[tuple[str, str | None]]:
    """Tell people of relays, each line with its colour."""
    for one in found:
        if not one.looked:
            yield f"{one.host}  could not be looked at: see above", "red"
            continue
        days = "no certificate" if one.certificate_days is None else f"{one.certificate_days} days"
        number = len(one.differences)
        how = "as it should be" if not number else "1 difference" if number == 1 else f"{number} differences"
        yield f"{one.host}  {how}; certificate: {days}", "yellow" if number else "green"
        for difference in one.differences:
            words = f"{difference['what']}: {difference['words']}".removesuffix(": ")
            yield f"  {words}" + ("" if difference["mended"] else " (a deploy does not mend it)"), None


def verdict(found: Sequence[Outcome]) -> str:
    """Say what that comes to."""
    unseen = [one for one in found if not one.looked]
    if unseen or not found:
        return "Not all relays could be looked at: see the error above."
    if different := sum(bool(one.differences) for one in found):
        return f"{summary.hosts(different)} differ{'s' if different == 1 else ''} from the inventory."
    return "All is as the inventory says."
