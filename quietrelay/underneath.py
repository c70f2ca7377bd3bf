"""Runs the programs underneath, pyinfra and pytest: shows the command to type, and hears how it went."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from quietrelay import outcome, summary
from quietrelay.outcome import Outcome

INTERRUPTED = 130  # as shells have it for Ctrl-C


class Ended(NamedTuple):
    """How a program ended."""

    status: int
    outcomes: list[Outcome]


def show_command(program: str, *words: str) -> None:
    """Print a command that one may copy."""
    click.secho(f"$ {shlex.join([shortest(Path(sys.executable).parent / program), *words])}", bold=True)


def shortest(path: Path) -> str:
    """Write a file's path as one would type it here: its name alone where the shell finds it by that."""
    found = shutil.which(path.name)
    if found and os.access(path, os.X_OK) and Path(found).samefile(path):
        return path.name
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def run(words: Sequence[str], environment: Mapping[str, str] | None = None, quiet: bool = False) -> Ended:
    """Run a module of Python with these words, in a process of its own, and hear what became of each host.

    :param environment: what it has in its environment beside ours
    :param quiet: whether what it writes to standard output is for nobody
    """
    with tempfile.TemporaryDirectory(prefix="quietrelay-") as directory:
        report = Path(directory) / "report"
        report.touch()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *words],
            env={**os.environ, outcome.REPORT: str(report), **(environment or {})},
            stdout=subprocess.DEVNULL if quiet else None,
        )
        status = _wait(process)
        return Ended(status, outcome.read(report))


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process to end by itself also where Ctrl-C was typed, which it hears too."""
    interrupted = False
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            interrupted = True
        else:
            return INTERRUPTED if interrupted else status


def tell(ended: Ended, verdict: str) -> None:
    """Print what became of each host, and what that comes to."""
    width, height = shutil.get_terminal_size()
    click.echo()
    for text, happened in summary.lines(ended.outcomes, width, height):
        click.secho(text, fg=summary.COLOURS.get(happened))
    click.secho(f"\n{verdict}", fg="red" if ended.status else "green")


def suggest(*words: str) -> None:
    """Print the command that one may want next."""
    click.echo(f"Next: {shlex.join(words)}")
