"""Control groups: the kernel's own record of which processes belong to the lab.

Everything that the lab starts and that outlives a command runs in a group below `quietrelay-lab`. A process
cannot leave it by forking, and its number cannot be taken over by a stranger, so ending a group is exact
where a PID file is a guess. See cgroups(7) and the kernel's cgroup-v2 manual on cgroup.kill (Linux 5.14).
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.process import LabError, wait_until
from lab.topology import LAB_SUFFIX

TOP = f"quietrelay-lab{LAB_SUFFIX}"

# Moves itself into each named group, then becomes the command: no process of ours is ever outside of them.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'


def hierarchies(mounts: str) -> tuple[Path, list[Path]]:
    """Find where control groups live in the text of /proc/mounts.

    Returns the mount point of cgroup2, and those of systemd's own version 1 hierarchy, which a machine in
    hybrid mode has and systemd-nspawn uses beside it.

    Raises LabError where cgroup2 is not mounted.
    """
    unified: list[Path] = []
    legacy: list[Path] = []
    for line in mounts.splitlines():
        _, point, kind, options = line.split()[:4]
        if kind == "cgroup2":
            unified.append(Path(point))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            legacy.append(Path(point))
    if not unified:
        raise LabError("cgroup2 is not mounted; mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup")
    return unified[0], legacy


def joining(name: str) -> list[str]:
    """The launcher that runs a command in the lab's group of this name, which is made if missing."""
    unified, legacy = _mounted()
    groups = [point / TOP / name for point in (unified, *legacy)]
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
    return ["sh", "-c", JOIN, TOP, *map(str, groups), "--"]


def populated(name: str = "") -> bool:
    """Whether a process runs in the lab's group of this name, or in any of the lab's."""
    events = _group(name) / "cgroup.events"
    try:
        return "populated 1" in events.read_text()
    except OSError:  # no such group
        return False


def processes(name: str) -> list[int]:
    """The processes directly in a group."""
    try:
        return [int(pid) for pid in (_group(name) / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def end(name: str = "") -> None:
    """Kill every process in a group and below it, wait until they are gone and remove the groups."""
    if populated(name):
        (_group(name) / "cgroup.kill").write_text("1")
        wait_until(lambda: not populated(name), f"the end of {_group(name)}", timeout=10)
    unified, legacy = _mounted()
    for point in (unified, *legacy):
        _remove(point / TOP / name)


def _remove(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        Path(directory).rmdir()


def _group(name: str) -> Path:
    return _mounted()[0] / TOP / name


def _mounted() -> tuple[Path, list[Path]]:
    return hierarchies(Path("/proc/self/mounts").read_text())
