"""Whether there is room on a host for what a run writes, and for a message at all. Pure; no host."""

from collections.abc import Iterator, Mapping

from tasks.activation.facts.room import Free

MB = 1_000_000

# Packages take some 60 MB of /usr, and as much of /var with lists and archives; leave some for others.
PACKAGES = {"/usr": Free(200 * MB, 5000), "/var": Free(200 * MB, 5000)}
# Some hundred files of ours, and as many that are kept for the way back.
FILES = {"/etc": Free(10 * MB, 500), "/run": Free(5 * MB, 200), "/var": Free(20 * MB, 500)}
QUEUE = "/var/spool/postfix"
LARGEST = 10_240_000
"""Bytes of the largest message, unless something else is said (postconf(5), message_size_limit)."""


def needed(installs: bool, largest: int) -> dict[str, Free]:
    """Tell how much has to be free where.

    :param installs: whether packages are to be installed
    :param largest: bytes of the largest message; with less than 1.5 of that free Postfix takes no mail
        (postconf(5), queue_minfree)
    """
    wanted = FILES | {QUEUE: Free(largest * 3 // 2 + FILES["/var"].size, FILES["/var"].inodes)}
    return wanted | PACKAGES if installs else wanted


def complain(wanted: Mapping[str, Free], found: Mapping[str, Free]) -> Iterator[str]:
    """Say where there is too little room."""
    for path in sorted(wanted.keys() & found.keys()):
        needs, has = wanted[path], found[path]
        if has.size < needs.size:
            yield (
                f"{path} has {has.size // MB} MB left where {-(-needs.size // MB)} are needed; "
                "make room there, or give it a larger disk"
            )
        elif has.inodes is not None and needs.inodes and has.inodes < needs.inodes:
            yield (
                f"{path} has {has.inodes} inodes left where {needs.inodes} are needed; "
                "remove files there that nobody needs (df -i)"
            )
