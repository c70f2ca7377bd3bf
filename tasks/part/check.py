"""Layers: what has to be well for a login to succeed, each with a way to see it. Pure; no host.

A layer is looked at by a shell script, on the host and as root, that changes nothing there. What it answers
is judged here. A layer that rests on one that is not well is not looked at, so that the first to blame is the
one that is named.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import SecretStr


class Account(NamedTuple):
    """Somebody who should be able to log in."""

    login: str
    password: SecretStr


class Heard(NamedTuple):
    """What a script answered: whether it exited with 0, and what it printed, errors included."""

    well: bool
    text: str


@dataclass(frozen=True)
class Layer:
    """Something that a login needs."""

    name: str
    """What is so where all is well, for people; of each name there is one."""
    script: str
    """bash(1) script."""
    judge: Callable[[Heard], str]
    """Says what is wrong and what to do; nothing where all is well."""
    rests_on: Sequence[str] = ()
    """Names of layers without which this one cannot be well."""
    secret: SecretStr | None = None
    """What the script reads from its standard input, in base64 and one line."""


class Finding(NamedTuple):
    """How a layer was found, and what there is to say of it."""

    layer: Layer
    state: Literal["well", "ill", "unseen"]
    words: str


def walk(layers: Iterable[Layer], ask: Callable[[Layer], Heard]) -> Iterator[Finding]:
    """Look at one layer after the other.

    :param ask: runs a layer's script
    """
    not_well = set()
    for layer in layers:
        if lacking := [name for name in layer.rests_on if name in not_well]:
            finding = Finding(layer, "unseen", f"not looked at, for it rests on: {lacking[0]}")
        else:
            words = layer.judge(ask(layer))
            finding = Finding(layer, "ill" if words else "well", words)
        if finding.state != "well":
            not_well.add(layer.name)
        yield finding


def exits_well(remedy: str) -> Callable[[Heard], str]:
    """Judge by the exit status, and tell what the script said."""

    def judge(heard: Heard) -> str:
        return "" if heard.well else f"{first_line(heard.text) or 'it is not so'}; {remedy}"

    return judge


def first_line(text: str) -> str:
    """Give the first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
