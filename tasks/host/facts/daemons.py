"""Whether a daemon runs, and whether it runs with what is on disk."""

from collections.abc import Iterable
from typing import TypedDict

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.host.templates import program


class DaemonSays(TypedDict):
    """The state of a daemon."""

    alive: bool
    """Its process is there: a unit's "active" may mean an umbrella, or an init script that did nothing."""
    enabled: bool
    """It starts at boot."""
    unit_file: str
    """The unit file that systemd has read."""
    unit_changed: bool
    """systemd has not read that file since it was changed."""
    newer: list[str]
    """Files that were changed after it read them."""


class Daemon(FactBase[DaemonSays]):
    """Look at a daemon's process, its unit and the files that it reads, in one remote command.

    A file's change time (ctime), which no copy or chmod can set back, is compared with when the daemon last
    read its files: the modification time of its PID file, or of the mark that is set before a reload
    (`tasks.host.operations.daemons`), whichever is newer.
    """

    @override
    def command(self, unit: str, pid_file: str, reads: Iterable[str]) -> StringCommand:
        pid, mark = QuoteString(pid_file), QuoteString(mark_of(unit))
        return StringCommand(
            "systemctl show -p UnitFileState -p FragmentPath -p NeedDaemonReload",
            QuoteString(unit),
            ";",
            _alive(pid_file),
            "&& echo Alive=yes; read=$(ls -t",
            pid,
            mark,
            '2>/dev/null | head -n 1); test -z "$read" || find',
            *map(QuoteString, reads),
            "-newercm \"$read\" -printf 'Newer=%p\\n' 2>/dev/null; true",
        )

    @override
    def process(self, output: Iterable[str]) -> DaemonSays:
        pairs = [line.partition("=")[::2] for line in output]
        return {
            "alive": ("Alive", "yes") in pairs,
            "enabled": ("UnitFileState", "enabled") in pairs,
            "unit_file": dict(pairs).get("FragmentPath", ""),
            "unit_changed": ("NeedDaemonReload", "yes") in pairs,
            "newer": [path for key, path in pairs if key == "Newer"],
        }


def _alive(pid_file: str) -> StringCommand:
    """Write the condition that a daemon's process is there; an empty file names none (kill(1))."""
    return StringCommand("{ kill -0 $(cat", QuoteString(pid_file), "); } 2>/dev/null")


class Unheard(FactBase[list[str]]):
    """Find wildcard addresses on which nobody listens; a daemon that runs has two seconds to get there."""

    default = list

    @override
    def command(self, pid_file: str, families: str, ports: Iterable[int]) -> StringCommand:
        script = QuoteString(program("unheard.sh"))
        return StringCommand("sh -c", script, "unheard.sh", QuoteString(pid_file), families, *map(str, ports))

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)


def mark_of(unit: str) -> str:
    """Name the file whose modification time tells when a daemon was last told to read its files again."""
    return f"/run/{unit}.read"


class TimerSays(TypedDict):
    """The state of a timer."""

    runs: bool
    """It is loaded as it is on disk, starts at boot, and waits for its time."""
    known: bool
    """systemd has it in its memory."""


class Timer(FactBase[TimerSays]):
    """Look at a timer and the service that it starts (systemctl(1)), in one remote command."""

    @override
    def command(self, unit: str) -> StringCommand:
        show = "systemctl show -p UnitFileState -p ActiveState -p NeedDaemonReload"
        return StringCommand(show, QuoteString(f"{unit}.timer"), QuoteString(f"{unit}.service"))

    @override
    def process(self, output: Iterable[str]) -> TimerSays:
        lines = list(output)
        return {
            "runs": {"UnitFileState=enabled", "ActiveState=active"} <= set(lines)
            and "NeedDaemonReload=yes" not in lines,
            "known": "ActiveState=active" in lines,
        }
