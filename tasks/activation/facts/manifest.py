"""What of a host is ours, as far as the host can tell."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class Kept(FactBase[str]):
    """Read the manifest; empty where there is none."""

    default = str

    @override
    def command(self, path: str) -> StringCommand:
        return StringCommand("cat", QuoteString(path), "2>/dev/null || true")

    @override
    def process(self, output: Iterable[str]) -> str:
        return "\n".join(output)


class Left(FactBase[list[str]]):
    """Tell which of some files there are, and which of some others say that this deploy wrote them."""

    default = list

    @override
    def command(self, files: Iterable[str], signed: Iterable[str]) -> StringCommand:
        # The kernel's own empty file stands for none at all: grep would read its standard input.
        return StringCommand(
            StringCommand("ls -d --", *map(QuoteString, files), "2>/dev/null;"),
            StringCommand("grep -ls '^# .*Written by quietrelay' -- /dev/null", *map(QuoteString, signed)),
            "; true",
        )

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)
