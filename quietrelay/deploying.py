"""Plans, deploys, goes back and takes away: pyinfra with the program's deploy, its rollback, its removal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from quietrelay import summary, underneath
from quietrelay.places import DEPLOY, REMOVE, ROLLBACK
from quietrelay.waves import WAVES
from tasks.inventory.source import SKIPPED

UNDERNEATH = "quietrelay.under_pyinfra"
PACKAGES = "QUIETRELAY_PACKAGES"
"""Environment variable that has a removal purge packages, where it is yes (remove.py)."""


def plan(inventory: str, limits: Sequence[str], skips: Sequence[str] = ()) -> underneath.Ended:
    """Show what a deploy would change.

    :param skips: preflight checks that are left out
    """
    return _plan(inventory, DEPLOY, [*limited(limits), *_skipped(skips)])


def plan_removal(inventory: str, limits: Sequence[str], packages: bool) -> underneath.Ended:
    """Show what a removal would change."""
    return _plan(inventory, REMOVE, limited(limits), {PACKAGES: "yes" if packages else "no"})


def _plan(
    inventory: str, program: Path, options: Sequence[str], environment: Mapping[str, str] | None = None
) -> underneath.Ended:
    words = [inventory, underneath.shortest(program), "--dry", *options]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words, "--json"], environment, quiet=True)  # JSON, and no table
    underneath.tell(ended, summary.of_plan(ended.outcomes, ended.status))
    return ended


def deploy(inventory: str, limits: Sequence[str], skips: Sequence[str], waves: str) -> int:
    """Make the relays what the inventory says, and give the exit status.

    :param skips: preflight checks that are left out
    :param waves: sizes of the waves in which it goes, as `waves.sizes` reads them; empty for all at once
    """
    return _change(inventory, DEPLOY, [*limited(limits), *_skipped(skips)], {WAVES: waves})


def rollback(inventory: str, limits: Sequence[str]) -> int:
    """Make the relays what they were before the last deploy that changed them, and give the exit status."""
    return _change(inventory, ROLLBACK, limited(limits))


def remove(inventory: str, limits: Sequence[str], packages: bool) -> int:
    """Make the hosts what they were before the first deploy, and give the exit status."""
    return _change(inventory, REMOVE, limited(limits), {PACKAGES: "yes" if packages else "no"})


def _change(
    inventory: str, program: Path, options: Sequence[str], environment: Mapping[str, str] | None = None
) -> int:
    words = ["-y", inventory, underneath.shortest(program), *options]
    underneath.show_command("pyinfra", *words)
    ended = underneath.run([UNDERNEATH, *words], environment)
    underneath.tell(ended, summary.of_deploy(ended.outcomes, ended.status))
    return ended.status


def has_work(planned: underneath.Ended) -> bool:
    """Tell whether a plan is whole and has anything to do."""
    return planned.status == 0 and summary.count(planned.outcomes, *summary.PLANNED) > 0


def limited(limits: Sequence[str]) -> list[str]:
    """Write limits as options."""
    return [word for limit in limits for word in ("--limit", limit)]


def _skipped(skips: Sequence[str]) -> list[str]:
    return ["--data", f"{SKIPPED}={','.join(skips)}"] if skips else []
