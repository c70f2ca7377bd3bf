"""Overlay mounts, and the removal of trees that may hold mounts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lab.process import LabError, run


def mount_overlay(lower: Sequence[Path], directory: Path) -> Path:
    """Mount a writable view of read-only trees and return its root.

    + lower: the trees, the uppermost first
    + directory: where the changes (`upper`), the kernel's workspace (`work`) and the view (`root`) are put
    """
    for name in ("upper", "work", "root"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={directory}/upper,workdir={directory}/work"
    run(["mount", "-t", "overlay", "quietrelay-lab", "-o", options, directory / "root"])
    return directory / "root"


def check(directory: Path) -> None:
    """Raises LabError where the kernel would mount no overlay that keeps its changes in this directory."""
    if file_system(directory, Path("/proc/self/mountinfo").read_text()) == "overlay":
        raise LabError(
            f"{directory} is on an overlay file system itself, as all is in most containers, and those of "
            "the lab's hosts cannot lie on one; name a directory on a disk or a volume, to be used in place "
            "of /var: QUIETRELAY_VAR=/DIRECTORY python -m lab up"
        )


def file_system(directory: Path, mountinfo: str) -> str:
    """The type of the file system that a directory is on, or will be when it is made.

    + mountinfo: as for `mounted_below`
    """
    # The last of those with the longest path is the one on top.
    fields = [line.split() for line in mountinfo.splitlines()]
    above = [words for words in fields if directory.resolve().is_relative_to(words[4])]
    nearest = max(reversed(above), key=lambda words: len(words[4]))
    return nearest[nearest.index("-") + 1]


def mounted_below(directory: Path, mountinfo: str) -> list[Path]:
    """Mount points in and below a directory, in the order in which to unmount them.

    + mountinfo: text of /proc/self/mountinfo, see proc(5)
    """
    points = [Path(line.split()[4]) for line in mountinfo.splitlines()]
    return [point for point in reversed(points) if point.is_relative_to(directory)]


def unmount_below(directory: Path) -> None:
    """Unmount everything in and below a directory."""
    for point in mounted_below(directory, Path("/proc/self/mountinfo").read_text()):
        run(["umount", point])


def remove_tree(directory: Path) -> None:
    """Remove a directory, having unmounted what is mounted in it; nothing happens where there is none."""
    unmount_below(directory)
    # shutil.rmtree would follow into a mount that appeared since.
    if os.path.lexists(directory):
        run(["rm", "-rf", "--one-file-system", directory], timeout=300)
