"""Writes what a verification found as a page: one file, which fetches nothing and runs nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from docs.promises import Promise, promises
from quietrelay import summary
from quietrelay.outcome import Outcome
from quietrelay.privacy import relay
from tasks.privacy import preview
from tasks.settings import Privacy

SOON = 14
"""Days; a certificate that has fewer left stands out."""

MESSAGE = b"""\
Received: from kitchen-pc.fritz.box (dsl.example.net [192.0.2.77])
 by webmail.example.org with HTTPS; Thu, 20 Nov 2025 10:33:00 +0000
From: Somebody <somebody@example.org>
To: reader@example.net
Subject: Hello
Date: Thu, 20 Nov 2025 10:33:00 +0000
Message-ID: <20251120103300.1@kitchen-pc>
MIME-Version: 1.0
User-Agent: Example Mail 5
X-Originating-IP: 192.0.2.77

Hello.
"""


class Held(NamedTuple):
    """What checks said of a promise."""

    title: str
    word: str
    """`kept`, `broken`, or `not asked` where no check of this run is about it."""
    checks: int


def page(outcomes: Sequence[Outcome], status: int, privacy: Privacy, hostname: str, now: datetime) -> str:
    """Write the page.

    :param status: pytest's
    :param privacy: of the relay whose view of a message is shown
    :param hostname: its name
    :param now: when the verification ended
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    fates, _length = preview.fates(MESSAGE, privacy, hostname)
    return environment.get_template("report.html.j2").render(
        outcomes=outcomes,
        status=status,
        verdict=summary.of_verification(outcomes, status).partition(":")[0],
        promises=[held(one, outcomes) for some in promises().values() for one in some],
        message=[(list(preview.lines(fate)), fate.why) for fate in fates],
        hostname=hostname,
        now=now,
        days=lambda until: (datetime.fromisoformat(until) - now).days,
        soon=SOON,
    )


def held(promise: Promise, outcomes: Sequence[Outcome]) -> Held:
    """Tell whether the checks that prove a promise passed, at all relays together."""
    asked = {f"test_{test}" for test in promise.tests}

    def about(names: Sequence[str]) -> int:
        return sum(name.partition("[")[0] in asked for name in names)

    passed = sum(about(outcome.parts.get("passed", [])) for outcome in outcomes)
    broken = sum(about(outcome.failed_checks) for outcome in outcomes)
    return Held(promise.title, "broken" if broken else "kept" if passed else "not asked", passed + broken)


def write(file: Path, inventory: str, host: str, outcomes: Sequence[Outcome], status: int) -> None:
    """Write the page.

    :param host: the relay whose view of a message is shown
    """
    privacy, hostname = relay(inventory, [host])
    file.write_text(page(outcomes, status, privacy, hostname, datetime.now(UTC)), encoding="utf-8")
