"""What of a host is ours, as far as the host can tell."""

from collections.abc import Iterable
from typing import TypedDict

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


class OriginSays(TypedDict):
    """What a host was before the first run, as far as it is kept."""

    known: bool
    kept: list[str]
    """Paths of files that were there."""
    packages: list[str] | None
    """Packages that were installed; None where that was never noted."""


class Origin(FactBase[OriginSays]):
    """Read what a host has kept of what it was before the first run (onhost/generation.sh)."""

    @override
    def command(self, directory: str, packages: str) -> StringCommand:
        return StringCommand(
            StringCommand(
                "find", QuoteString(f"{directory}/files"), "-type f,l -printf 'kept=/%P\\n' 2>/dev/null;"
            ),
            StringCommand("test -d", QuoteString(directory), "&& echo known=;"),
            StringCommand("sed 's/^/package=/'", QuoteString(packages), "2>/dev/null; true"),
        )

    @override
    def process(self, output: Iterable[str]) -> OriginSays:
        pairs = [line.partition("=")[::2] for line in output]
        packages = [value for key, value in pairs if key == "package"]
        return {
            "known": any(key == "known" for key, _ in pairs),
            "kept": sorted(value for key, value in pairs if key == "kept"),
            "packages": packages or None,
        }


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


class Unsettled(FactBase[bool]):
    """Tell whether a change has not ended, or was taken back a moment ago (onhost/generation.sh)."""

    default = bool

    @override
    def command(self, directory: str) -> StringCommand:
        pending, back = (QuoteString(f"{directory}/{name}") for name in ("pending", "went-back"))
        return StringCommand("ls -d", pending, "2>/dev/null; find", back, "-mmin -5 2>/dev/null; true")

    @override
    def process(self, output: Iterable[str]) -> bool:
        return any(output)
