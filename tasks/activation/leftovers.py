"""What other settings have put on a host, and nobody there needs any more."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra import host
from pyinfra.operations import files

from tasks.activation.facts.leftovers import Left
from tasks.host.operations import daemons
from tasks.host.step import step


@dataclass(frozen=True)
class Remains:
    """Files and daemons of ours."""

    files: Sequence[str] = ()
    """Paths."""
    signed: Sequence[str] = ()
    """Paths where somebody else may have a file as well; ours says who wrote it."""
    units: Sequence[tuple[str, str]] = ()
    """Each a unit, without ``.service``, and its file."""


@step("Remains")
def remove(*some: Remains) -> None:
    """Stop and remove what is left of these; where nothing is, there is no operation."""
    units = dict(unit for one in some for unit in one.units)
    paths = [path for one in some for path in one.files]
    signed = [path for one in some for path in one.signed]
    found = host.get_fact(Left, files=[*units.values(), *paths], signed=signed)
    for unit, unit_file in units.items():
        if unit_file in found:
            daemons.gone(name=f"Run no {unit}", unit=unit, unit_file=unit_file)
    for path in [*paths, *signed]:
        if path in found:
            files.file(name=f"Remove {path}", path=path, present=False)
