"""Leftovers: files and units of ours that are not wanted any more."""

from collections.abc import Iterable
from pathlib import Path

from tasks.host.operations import daemons, owned
from tasks.host.order import keyed
from tasks.host.step import step

UNITS = Path("/etc/systemd/system")


@step("Leftovers")
def remove(paths: Iterable[str]) -> None:
    """Stop and remove them; where there are none, there is no operation.

    :param paths: absolute paths on the host
    """
    left = list(paths)
    units = {path for path in left if Path(path).parent == UNITS}
    waiting = {path for path in units if path.endswith((".timer", ".path"))}
    for path in keyed(waiting):  # before what they start
        _stop(path)
    for path in keyed(units - waiting):
        _stop(path)
    for path in keyed(path for path in left if path not in units):
        owned.gone(name=f"Remove {path}", path=path)


def _stop(unit_file: str) -> None:
    unit = Path(unit_file).name.removesuffix(".service")
    daemons.gone(name=f"Run no {unit}", unit=unit, unit_file=unit_file)
