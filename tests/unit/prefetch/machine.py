"""This machine, as pyinfra has hosts."""

from typing import Any

from pyinfra.api import Config, Inventory, State


def this_machine(**options: Any) -> State:
    """Begin a run on this machine alone."""
    inventory = Inventory((["@local"], {}))  # type: ignore[no-untyped-call]
    return State(inventory, Config(), **options)  # type: ignore[no-untyped-call]
