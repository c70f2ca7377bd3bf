"""Plans and deploys: pyinfra with the program's deploy."""

from collections.abc import Sequence

import click

from quietrelay import summary, underneath
from quietrelay.outcome import Outcome
from quietrelay.places import DEPLOY

UNDERNEATH = "quietrelay.under_pyinfra"


def plan(inventory: str, limits: Sequence[str], diff: bool, deploy: str) -> underneath.Ended:
    """Show what a deploy would change.

    :param diff: whether to show the differences in files
    :param deploy: the command that would do it
    """
    words = [inventory, underneath.shortest(DEPLOY), "--dry", *(["--diff"] if diff else []), *limited(limits)]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words, "--json"], quiet=True)
    verdict = summary.of_plan(ended.outcomes, ended.status, deploy)
    underneath.tell(ended.outcomes, verdict, ended.status)
    return ended


def deploy(inventory: str, limits: Sequence[str], again: str) -> int:
    """Make the relays what the inventory says, and give the exit status.

    :param again: the command that does it
    """
    words = ["-y", inventory, underneath.shortest(DEPLOY), *limited(limits)]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words])
    verdict = summary.of_deploy(ended.outcomes, ended.status, again)
    underneath.tell(ended.outcomes, verdict, ended.status)
    return ended.status


def changes(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether a plan has anything to do."""
    return summary.count(outcomes, "would change", "may change") > 0


def agreed() -> bool:
    """Ask whether to go on."""
    click.echo()
    return click.confirm("Do that now?")


def limited(limits: Sequence[str]) -> list[str]:
    """Write limits as options."""
    return [word for limit in limits for word in ("--limit", limit)]
