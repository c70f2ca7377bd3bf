"""What somebody else has made of units that are, or are to be, on a host."""

from collections.abc import Iterable
from typing import NamedTuple, TypedDict

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.host.templates import program


class Line(NamedTuple):
    """A line of a drop-in."""

    unit: str
    path: str
    text: str


class UnitsSay(TypedDict):
    """What is not as a unit's own file has it."""

    masked: list[str]
    """Units that cannot be started."""
    drop_ins: list[Line]


class Units(FactBase[UnitsSay]):
    """Look for masks and drop-ins, in one remote command."""

    @override
    @staticmethod
    def default() -> UnitsSay:
        """Find nothing."""
        return {"masked": [], "drop_ins": []}

    @override
    def command(self, units: Iterable[str]) -> StringCommand:
        return StringCommand(
            "sh -c", QuoteString(program("units.sh")), "units.sh", *map(QuoteString, sorted(units))
        )

    @override
    def process(self, output: Iterable[str]) -> UnitsSay:
        pairs = [line.partition("=")[::2] for line in output]
        return {
            "masked": [unit for key, unit in pairs if key == "masked"],
            "drop_ins": [Line(unit, *said.partition(":")[::2]) for unit, said in pairs if unit != "masked"],
        }
