"""Running commands, and waiting for what they bring about."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TAIL_LINES = 8  # of a failed command's error output: enough to see the cause, short enough to read


class LabError(Exception):
    """Something that the lab needs is missing or failed; the text says what and what to do."""


def run(command: Sequence[str | Path], *, stdin: str = "", timeout: float = 60) -> str:
    """Run a command to its end and return its standard output.

    + timeout: seconds, after which it is killed

    Raises LabError if it is not there, exits non-zero or takes too long.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, check=False, input=stdin, capture_output=True, text=True, timeout=timeout, errors="replace"
        )
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{_shown(words)}` did not end within {timeout:.0f} s") from error
    if done.returncode != 0:
        raise LabError(f"`{_shown(words)}` exited {done.returncode}: {tail(done.stderr or done.stdout)}")
    return done.stdout


def spawn(command: Sequence[str | Path], log: Path) -> None:
    """Start a command that outlives this program, in a session of its own (no terminal's Ctrl-C reaches it).

    + log: file that takes its standard output and error

    Raises LabError if it cannot be started; what it does later shows in the log only.
    """
    with log.open("w") as output:
        # setsid(1) forks and returns: there is no child left here to wait for.
        launcher = ["setsid", "--fork", *map(str, command)]
        status = subprocess.run(
            launcher, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ).returncode
    if status != 0:
        raise LabError(f"`{_shown(launcher)}` exited {status}: {tail(log.read_text(errors='replace'))}")


def wait_until(condition: Callable[[], bool], what: str, *, timeout: float, pause: float = 0.05) -> None:
    """Wait until the condition holds.

    + what: the awaited state, for the error
    + timeout: seconds
    + pause: seconds between two looks

    Raises LabError when the time is over.
    """
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(pause)


def tail(text: str) -> str:
    """The last lines of a program's output, on one line."""
    return " | ".join(line.strip() for line in text.strip().splitlines()[-TAIL_LINES:])


def _shown(words: Sequence[str]) -> str:
    text = " ".join(words).replace("\n", " ")
    return text if len(text) <= 160 else f"{text[:160]}..."
