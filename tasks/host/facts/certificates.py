"""How long a certificate is valid that lies on a host."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class Validity(NamedTuple):
    """From when to when."""

    begin: datetime
    end: datetime

    def least(self, days: int) -> int:
        """Tell how many days have to be left: so many, or a fifth of a short validity."""
        return min(days, (self.end - self.begin).days // 5)


class ValidityOf(FactBase[Validity | None]):
    """Read how long the first certificate in some files is valid (openssl-x509(1)); None without one."""

    @override
    def command(self, paths: Iterable[str]) -> StringCommand:
        read = StringCommand("cat --", *map(QuoteString, paths), "2>/dev/null")
        return StringCommand(read, "| LC_ALL=C openssl x509 -noout -startdate -enddate 2>/dev/null; true")

    @override
    def process(self, output: Iterable[str]) -> Validity | None:
        dates = [_date(line.partition("=")[2]) for line in output if line.strip()]
        return Validity(*dates) if dates else None


def _date(text: str) -> datetime:
    return datetime.strptime(text.removesuffix(" GMT"), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
