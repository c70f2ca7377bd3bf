"""How much room there is on a host's file systems."""

from collections.abc import Iterable
from typing import NamedTuple

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class Free(NamedTuple):
    """What is free in the file system of a directory, for anybody but root."""

    size: int
    """Bytes."""
    inodes: int | None
    """None where there is no end of them."""


class Room(FactBase[dict[str, Free]]):
    """Look how much is free in the file systems of those of some directories that are there (statfs(2))."""

    default = dict

    @override
    def command(self, directories: Iterable[str]) -> StringCommand:
        ask = StringCommand("stat -f -c '%a %S %c %d %n' --", *map(QuoteString, directories))
        return StringCommand(ask, "2>/dev/null || true")

    @override
    def process(self, output: Iterable[str]) -> dict[str, Free]:
        free = {}
        for line in output:
            blocks, size, inodes, left, path = line.split(" ", 4)
            free[path] = Free(int(blocks) * int(size), int(left) if int(inodes) else None)
        return free
