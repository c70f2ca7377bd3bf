"""Reads an inventory exactly as the deploy does: by pyinfra, group data and all."""

import runpy
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from pyinfra.api import State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_state

from tasks import settings
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
    expendable: str = ""
    """Module that puts it back, if tests may break it."""


def read(inventory: str, root: Path) -> list[Entry]:
    """Read an inventory.

    pyinfra's command line does, in a process of its own: it makes all threads of a process one (gevent).

    :param inventory: its path
    :param root: where the program lies
    :raises InventoryError: in the words that the deploy itself would use
    """
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        return pool.submit(_read_here, inventory, root).result()


def _read_here(inventory: str, root: Path) -> list[Entry]:
    from pyinfra_cli.exceptions import UnexpectedExternalError

    if not Path(inventory).is_file():
        raise InventoryError(f"--inventory {inventory}: there is no such file")
    try:
        with ctx_state.use(State()):  # where pyinfra notes which file it reads
            return _read(inventory, root)
    except UnexpectedExternalError as error:
        raise InventoryError(f"--inventory {inventory}: {error.exception!r}") from error
    except SyntaxError as error:
        raise InventoryError(f"--inventory {inventory}: {error}") from error
    except (PyinfraError, click.ClickException) as error:
        raise InventoryError(str(error)) from error


def _read(inventory: str, root: Path) -> list[Entry]:
    from pyinfra_cli.inventory import make_inventory

    # Hosts of the inventory are relays; `witnesses`, a dict and so no group for pyinfra, are for tests alone.
    hosts = make_inventory(inventory, cwd=str(root))
    more = runpy.run_path(inventory)
    relays = [
        Entry(
            host.name,
            frozenset({"relays"}),
            _connection(host.data.dict()),
            settings.of(host),
            expendable=more.get("expendable", ""),
        )
        for host in hosts
    ]
    witnesses = [
        Entry(name, frozenset({role}), _connection(data), None)
        for role, (name, data) in more.get("witnesses", {}).items()
    ]
    return relays + witnesses


def _connection(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key.startswith("ssh_") or key == "_sudo"}
