"""An order of operations that is the same for all hosts of a run."""

from collections.abc import Iterable, Iterator
from zlib import crc32

from pyinfra import host


def keyed(names: Iterable[str]) -> Iterator[str]:
    """Go through names in their order, so that operations called for the same name are one for all hosts.

    pyinfra takes operations of two hosts for the same one where their lines and their places in a loop are
    the same (`Host.loop`). Hosts have different files, so the place here is told by the name.
    """
    host.loop_position.append(0)
    try:
        for name in sorted(names):
            host.loop_position[-1] = crc32(name.encode())
            yield name
    finally:
        host.loop_position.pop()
