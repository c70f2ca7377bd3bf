"""Relays by the dozen, beside the lab's own hosts, and the inventories that name them."""

from collections.abc import Sequence

from lab import lifecycle
from lab.topology import Host

FIRST = 100  # their place in the lab's networks


def relays(count: int) -> list[Host]:
    """Name the first relays of the fleet, all on Debian 12, with the packages of a relay."""
    return [Host(f"relay{number}.relay.test", "installed", "bookworm", number) for number in _numbers(count)]


def bare(number: int) -> Host:
    """Name a host that is as Debian makes it."""
    return Host(f"bare{number}.relay.test", "relay", "bookworm", 200 + number)


def chosen(words: str) -> list[Host]:
    """Choose hosts by their number, or one by its name."""
    return relays(int(words)) if words.isdigit() else [bare(int(words.removeprefix("bare")))]


def up(hosts: Sequence[Host]) -> None:
    """Have the lab and these hosts running; all that a session uses are to be named at once."""
    lifecycle.up()
    lifecycle.add(hosts)


def _numbers(count: int) -> range:
    return range(FIRST, FIRST + count)
