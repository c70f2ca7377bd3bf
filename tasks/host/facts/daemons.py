"""Whether a daemon runs, and whether it runs with what is on disk."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypedDict

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.host.templates import program

PLACES = (
    "/etc/systemd/system",
    "/etc/systemd/system.control",
    "/run/systemd/system",
    "/run/systemd/system.control",
    "/run/systemd/generator*",
    "/usr/lib/systemd/system",
)
"""Where more is said of units (systemd.unit(5), UNIT FILE LOAD PATH)."""


class Rights(NamedTuple):
    """Who may do what with a directory or a socket that a daemon makes, and that is its user's."""

    path: str
    group: str
    mode: str
    """In octal."""


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
    made: list[Rights]
    """What there is of what it makes; the group is empty where it is not its user's."""
    drop_ins: dict[str, list[str]]
    """Files that say more of its unit (systemd.unit(5)), with the settings that each has."""


class Daemon(FactBase[DaemonSays]):
    """Look at a daemon's process, its unit and the files that it reads, in one remote command.

    A file's change time (ctime), which no copy or chmod can set back, is compared with when the daemon last
    read its files: the modification time of its PID file, or of the mark that is set before a reload
    (`tasks.host.operations.daemons`), whichever is newer.
    """

    @override
    def command(
        self, unit: str, pid_file: str, reads: Iterable[str], makes: Sequence[str] = ()
    ) -> StringCommand:
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
            "-newercm \"$read\" -printf 'Newer=%p\\n' 2>/dev/null;",
            *(_made(pid_file, makes) if makes else ()),
            "grep -EHos '^[[:blank:]]*[A-Za-z]+[[:blank:]]*='",
            *(f"{place}/{name}.d/*.conf" for place in PLACES for name in (f"{unit}.service", "service")),
            "| sed 's/^/DropIn=/'",
        )

    @override
    def process(self, output: Iterable[str]) -> DaemonSays:
        pairs = [(key, value) for key, _, value in (line.partition("=") for line in output)]
        drop_ins: dict[str, list[str]] = {}
        for path, setting in (value.rsplit(":", 1) for key, value in pairs if key == "DropIn"):
            drop_ins.setdefault(path, []).append(setting.strip("= \t"))
        return {
            "alive": ("Alive", "yes") in pairs,
            "enabled": ("UnitFileState", "enabled") in pairs,
            "unit_file": dict(pairs).get("FragmentPath", ""),
            "unit_changed": ("NeedDaemonReload", "yes") in pairs,
            "newer": [path for key, path in pairs if key == "Newer"],
            "made": [_rights(value) for key, value in pairs if key == "Made"],
            "drop_ins": drop_ins,
        }


def _made(pid_file: str, makes: Iterable[str]) -> Iterator[StringCommand]:
    """Write what prints the rights of paths: ``Made=USER MODE GROUP PATH``, its own user being ``own``."""
    yield StringCommand("user=$(sed -n 's/^Uid:\t\\([0-9]*\\).*/\\1/p' /proc/$(cat", QuoteString(pid_file))
    yield StringCommand(")/status 2>/dev/null); stat -c 'Made=%u %a %G %n'", *map(QuoteString, makes))
    yield StringCommand('2>/dev/null | sed "s/^Made=$user /Made=own /";')


def _rights(said: str) -> Rights:
    user, mode, group, path = said.split(" ", 3)
    return Rights(path, group if user == "own" else "", mode)


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


class WaitingSays(TypedDict):
    """The state of a unit that waits to start a service: a timer, or a path unit."""

    waits: bool
    """It is loaded as it is on disk, starts at boot, and waits."""


class Waiting(FactBase[WaitingSays]):
    """Look at a timer or a path unit and the service that it starts (systemctl(1)), in one remote command."""

    @override
    def command(self, unit: str) -> StringCommand:
        show = "systemctl show -p UnitFileState -p ActiveState -p NeedDaemonReload"
        service = f"{unit.rpartition('.')[0]}.service"
        return StringCommand(show, QuoteString(unit), QuoteString(service))

    @override
    def process(self, output: Iterable[str]) -> WaitingSays:
        lines = list(output)
        return {
            "waits": {"UnitFileState=enabled", "ActiveState=active"} <= set(lines)
            and "NeedDaemonReload=yes" not in lines,
        }
