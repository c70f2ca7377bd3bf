"""The corpus: messages as real clients write them, and what has to become of each.

A message is a file, ``NAME.mail``; a new file is a new message, tested in all combinations. It begins with
comments (#) that say who writes so, and where that is to be seen. Then each line has a sign before it:

- a blank: the line leaves the relay as it came in;
- ``-``: the user's client sent it, and it does not leave the relay;
- ``+``: it leaves the relay, in the place of the lines before it.

So a file shows before and after at once, to the byte. Words between % stand for what differs: `Values`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sample:
    """A message of the corpus."""

    name: str
    lines: tuple[str, ...]
    """Each with its sign."""

    def sent(self, values: Mapping[str, str]) -> bytes:
        """Write it as the client hands it in."""
        return self._without("+", values, "\r\n")

    def delivered(self, values: Mapping[str, str]) -> bytes:
        """Write it as it has to arrive, below the trace headers, in a Maildir."""
        return self._without("-", values, "\n")

    def _without(self, sign: str, values: Mapping[str, str], end: str) -> bytes:
        lines = [line[1:] + end for line in self.lines if line[0] != sign]
        return re.sub(r"%([a-z0-9_]+)%", lambda word: values[word[1]], "".join(lines)).encode()

    def __str__(self) -> str:
        return self.name


def parse(name: str, text: str) -> Sample:
    """Read a file of the corpus.

    :raises ValueError: for a line without a sign, or a file without a comment
    """
    lines = text.splitlines()
    body = [line for line in lines if not line.startswith("#")]
    if len(body) == len(lines):
        raise ValueError(f"{name}.mail does not say who writes so; begin it with # and the source")
    for number, line in enumerate(lines, 1):
        if line[:1] not in (" ", "-", "+", "#") or not line:
            raise ValueError(f"{name}.mail, line {number}: begin it with a blank, - or +")
    return Sample(name, tuple(body))


SAMPLES = tuple(parse(path.stem, path.read_text()) for path in sorted(HERE.glob("*.mail")))
