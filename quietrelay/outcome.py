"""What became of a run: for each host, what was done there; in JSON between two processes."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REPORT = "QUIETRELAY_REPORT"
"""Environment variable with the file into which the process underneath writes its outcomes."""

HOSTS = "QUIETRELAY_HOSTS"
"""Environment variable with the names of the relays, one a line."""


@dataclass
class Outcome:
    """What became of one host."""

    host: str
    parts: dict[str, list[str]] = field(default_factory=dict)
    """What happened (`changed`, say) to the names of that to which it happened, in their order."""
    failed_checks: list[str] = field(default_factory=list)
    """Of a verification: the checks that are behind what failed."""
    ports: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of a verification: what was seen at each port, by its name; see `seen.Seen`."""

    differences: list[dict[str, Any]] = field(default_factory=list)
    """Of a look for drift: what differs: `what`, `words`, and whether a deploy mends it, `mended`."""
    looked: bool = False
    """Of a look for drift: whether all of the host was seen."""
    certificate_days: int | None = None
    """Of a look for drift: the days for which the certificate is valid still."""
    certificate_least: int = 0
    """Of a look for drift: the days for which it has to be."""

    def add(self, happened: str, name: str) -> None:
        """Note what happened to something."""
        self.parts.setdefault(happened, []).append(name)


def write(file: Path, outcomes: Iterable[Outcome]) -> None:
    """Leave outcomes for whoever started this process."""
    file.write_text(json.dumps([asdict(outcome) for outcome in outcomes]), encoding="utf-8")


def read(file: Path) -> list[Outcome]:
    """Read what a process left, which is nothing where it ended too early."""
    text = file.read_text(encoding="utf-8")
    return [Outcome(**outcome) for outcome in json.loads(text or "[]")]
