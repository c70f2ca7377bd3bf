"""Plans, deploys and goes back: pyinfra with the program's deploy, and its rollback."""

from collections.abc import Sequence
from pathlib import Path

from quietrelay import summary, underneath
from quietrelay.places import DEPLOY, ROLLBACK

UNDERNEATH = "quietrelay.under_pyinfra"


def plan(inventory: str, limits: Sequence[str]) -> underneath.Ended:
    """Show what a deploy would change."""
    words = [inventory, underneath.shortest(DEPLOY), "--dry", *limited(limits)]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words, "--json"], quiet=True)  # JSON instead of a table
    underneath.tell(ended, summary.of_plan(ended.outcomes, ended.status))
    return ended


def deploy(inventory: str, limits: Sequence[str]) -> int:
    """Make the relays what the inventory says, and give the exit status."""
    return _change(inventory, DEPLOY, limits)


def rollback(inventory: str, limits: Sequence[str]) -> int:
    """Make the relays what they were before the last deploy that changed them, and give the exit status."""
    return _change(inventory, ROLLBACK, limits)


def _change(inventory: str, program: Path, limits: Sequence[str]) -> int:
    words = ["-y", inventory, underneath.shortest(program), *limited(limits)]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words])
    underneath.tell(ended, summary.of_deploy(ended.outcomes, ended.status))
    return ended.status


def has_work(planned: underneath.Ended) -> bool:
    """Tell whether a plan is whole and has anything to do."""
    return planned.status == 0 and summary.count(planned.outcomes, *summary.PLANNED) > 0


def limited(limits: Sequence[str]) -> list[str]:
    """Write limits as options."""
    return [word for limit in limits for word in ("--limit", limit)]
