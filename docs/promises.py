"""The promises: each is said once, in promises.toml, with the tests that prove it."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

SOURCE = Path(__file__).with_name("promises.toml")


class Promise(BaseModel):
    """Something that holds on every relay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    """One sentence, with its full stop."""
    text: str = ""
    """What it means, in Markdown."""
    tests: tuple[str, ...]
    """Names of the functions that prove it on real hosts, without ``test_``."""


@cache
def promises() -> dict[str, tuple[Promise, ...]]:
    """Read them, by the heading that they stand below."""
    return TypeAdapter(dict[str, tuple[Promise, ...]]).validate_python(tomllib.loads(SOURCE.read_text()))


def told() -> str:
    """Write the promises in Markdown, and below them which tests prove each."""
    sections = [line for heading, some in promises().items() for line in _section(heading, some)]
    rows = [_row(promise) for some in promises().values() for promise in some]
    return "\n".join([*sections, "## What proves them\n", "| Promise | Tests |", "| --- | --- |", *rows, ""])


def _section(heading: str, some: Iterable[Promise]) -> Iterator[str]:
    yield f"## {heading}\n"
    for promise in some:
        yield f"- **{promise.title}** {' '.join(promise.text.split())}".rstrip()
    yield ""


def _row(promise: Promise) -> str:
    return f"| {promise.title.rstrip('.')} | {'<br>'.join(f'`{name}`' for name in promise.tests)} |"
