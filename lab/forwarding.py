"""IPv4 forwarding, by which test hosts reach package sources: on while anybody needs it, and then as it was.

Containers and VMs come and go in any order, so each holds it for itself. After a boot the setting is the
machine's own again, and nobody's note of it is left in /run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

HELD = Path("/run/quietrelay-forwarding")  # a file for each holder, and what was set before the first
SWITCH = Path("/proc/sys/net/ipv4/ip_forward")  # ip-sysctl


def hold(holder: str) -> None:
    """Have it on until this holder lets go; to hold it twice is to hold it.

    + holder: a word
    """
    with _alone():
        HELD.mkdir(mode=0o700, exist_ok=True)
        if not (before := HELD / "before").exists():
            before.write_text(SWITCH.read_text())
        (HELD / f"by-{holder}").touch()
        _set("1")


def release(holder: str) -> None:
    """Let go; the last one puts back what was set before the first. Safe for who holds nothing."""
    with _alone():
        (HELD / f"by-{holder}").unlink(missing_ok=True)
        before = HELD / "before"
        if before.exists() and not any(HELD.glob("by-*")):
            _set(before.read_text().strip())
            before.unlink()
            HELD.rmdir()


def _set(value: str) -> None:
    if SWITCH.read_text().strip() != value:
        SWITCH.write_text(value)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time do this."""
    directory = os.open(HELD.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(directory, fcntl.LOCK_UN)  # by itself: where gevent has patched os.close, it closes later
        os.close(directory)
