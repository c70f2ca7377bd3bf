"""Shows what would become of a message, without a relay."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from quietrelay.inventory import hosts as names_of
from quietrelay.refusal import Refusal
from tasks.privacy import preview
from tasks.settings import Privacy

COLOURS = {"-": "red", "+": "green"}
EXAMPLE = "mx1.example.org"


def show(file: str, inventory: str | None, limits: tuple[str, ...]) -> None:
    """Print a message's headers before and after, each with the reason.

    :param file: its path; - for standard input
    :param inventory: whose relay it would pass; by default one with nothing but defaults
    :raises Refusal: for a file that cannot be read, or an inventory with several relays
    """
    privacy, hostname = relay(inventory, limits) if inventory else (Privacy(), EXAMPLE)
    found, length = preview.fates(_read(file), privacy, hostname)
    for fate in found:
        for sign, line in preview.lines(fate):
            click.secho(f"{sign} {_shown(line)}", fg=COLOURS.get(sign))
        click.secho(f"      {_verdict(fate)}: {fate.why}", dim=True)
    click.echo(f"\n  The body, {length:,} bytes, leaves as it is, attached messages with it.")
    counts = Counter(map(_verdict, found))
    told = f"{counts['goes']} go, {counts['rewritten']} are rewritten, {counts['stays']} stay"
    click.secho(f"  Of {len(found) - 1} headers {told}; {hostname} adds its own.", bold=True)


def _verdict(fate: preview.Fate) -> str:
    if not fate.before:
        return "added"
    if not fate.after:
        return "goes"
    return "stays" if fate.before == fate.after else "rewritten"


def _shown(line: str) -> str:
    """Write bytes as text that a terminal does not obey."""
    text = line.encode("latin-1").decode("utf-8", "replace").expandtabs()
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _read(file: str) -> bytes:
    try:
        message = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be").lower()
        raise Refusal(f"{file} cannot be read ({reason}); name a message, saved as .eml") from None
    if not preview.parted(message.replace(b"\r\n", b"\n").decode("latin-1"))[0]:
        raise Refusal(f"{file} does not begin with a header; name a message, saved as .eml")
    return message


def relay(inventory: str, limits: Sequence[str]) -> tuple[Privacy, str]:
    """Give a relay's privacy and name: of the inventory's first one, or of the one that is named."""
    chosen = names_of(inventory, limits)
    if len(chosen) > 1 and not limits:
        chosen = chosen[:1]
    from tasks import settings
    from tasks.doctor.doctor import hosts_of

    said = settings.of(hosts_of(inventory, chosen)[0])
    return said.privacy, said.hostname
