"""What a sasldb holds, without showing it."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class Sasldb(FactBase[list[str]]):
    """Look at a sasldb: owner, group and mode of the file, and a hash of the sorted pairs that it holds.

    A pair is a line, key and value in hexadecimal digits with a tab between (db_dump(1)).
    """

    default = list

    @override
    def command(self, path: str) -> StringCommand:
        return StringCommand(
            "stat -c '%U:%G %a'",
            QuoteString(path),
            "2>/dev/null && db_dump",
            QuoteString(path),
            "2>/dev/null | sed '1,/^HEADER=END/d; /^DATA=END/d; s/^ //'",
            "| paste - - | LC_ALL=C sort | sha256sum || true",
        )

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return [line.removesuffix("  -") for line in output]
