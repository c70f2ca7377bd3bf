"""Waves: which relays are changed together. All of it is pure."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

WAVES = "QUIETRELAY_WAVES"
"""Environment variable with the sizes of waves, for the process underneath."""
REST = "rest"


def sizes(text: str) -> list[int | None]:
    """Read sizes of waves, as in ``1,5,rest``; None stands for the rest.

    :raises ValueError: for anything else
    """
    words = [word.strip() for word in text.split(",")]
    wrong = [word for word in words if not (word.isdecimal() and int(word))]
    if wrong and (wrong != [REST] or words[-1] != REST):
        raise ValueError(
            f"{text!r} is no list of sizes; write numbers of relays, and {REST} at the end: 1,5,{REST}"
        )
    return [None if word == REST else int(word) for word in words]


def cut(hosts: Sequence[T], into: Sequence[int | None]) -> Iterator[list[T]]:
    """Cut hosts into waves, in their order; the last size is that of all that follow."""
    left = iter(hosts)
    for size in into:
        yield list(islice(left, size))
    while wave := list(islice(left, into[-1])):
        yield wave
