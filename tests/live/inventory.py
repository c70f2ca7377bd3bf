"""Reads an inventory exactly as the deploy does: by pyinfra, group data and all.

Importing pyinfra's command line replaces Python's sockets, threads and processes by gevent's. Tests that hold
conversations want the real ones, so a process of its own reads the inventory and hands over what it found.
"""

import pickle
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.settings import Settings


class InventoryError(Exception):
    """An inventory that cannot be used, said in one line."""


@dataclass(frozen=True)
class Entry:
    """A host as the inventory has it."""

    name: str
    groups: frozenset[str]
    data: Mapping[str, Any]
    """How to reach it: pyinfra's `ssh_...` and `_sudo`."""
    settings: Settings | None
    """What it should be, if it is a relay."""


def read(inventory: str, root: Path) -> list[Entry]:
    """Read an inventory.

    :param inventory: its path
    :param root: where the program lies, from which inventories import
    :raises InventoryError: in the words that the deploy itself would use
    """
    if not Path(inventory).is_file():
        raise InventoryError(f"--inventory {inventory}: there is no such file")
    command = [sys.executable, "-m", "tests.live.inventory", str(Path(inventory).resolve())]
    reader = subprocess.run(command, cwd=root, capture_output=True)
    if reader.returncode != 0:
        lines = reader.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise InventoryError(f"--inventory {inventory} cannot be read: {lines[-1]}")
    return [Entry(*fields) for fields in pickle.loads(reader.stdout)]  # noqa: S301 (our own process wrote it)


def _main(inventory: str) -> None:
    from pyinfra.api import State
    from pyinfra.context import ctx_state
    from pyinfra_cli.inventory import make_inventory

    from tasks import settings

    # Hosts of the inventory are relays; `witnesses`, a dict and so no group for pyinfra, are for tests alone.
    more = runpy.run_path(inventory)
    roles = {"relays", "expendable"} if more.get("expendable") else {"relays"}
    ctx_state.set(State())  # type: ignore[no-untyped-call]  # where pyinfra notes which file it reads
    entries: list[tuple[str, frozenset[str], Mapping[str, Any], Settings | None]] = []
    for host in make_inventory(inventory, cwd=str(Path.cwd())):
        data = {
            key: value for key, value in host.data.dict().items() if key.startswith("ssh_") or key == "_sudo"
        }
        entries.append((host.name, frozenset(roles), data, settings.of(host)))
    for role, (name, data) in more.get("witnesses", {}).items():
        entries.append((name, frozenset({role}), data, None))
    sys.stdout.buffer.write(pickle.dumps(entries))


if __name__ == "__main__":
    _main(sys.argv[1])
