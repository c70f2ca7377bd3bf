"""The users of a host, one at a time: pyinfra's own fact of all of them starts ten processes for each."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class GroupsOf(FactBase[list[str]]):
    """Name a user's groups (id(1)); none where there is no such user."""

    default = list

    @override
    def command(self, user: str) -> StringCommand:
        return StringCommand("id -nG", QuoteString(user), "2>/dev/null || true")

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return " ".join(output).split()
