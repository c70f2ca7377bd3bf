"""Running commands, and waiting for what they bring about."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TAIL_LINES = 8  # of a failed command's error output: enough to see the cause, short enough to read
SHOWN_LENGTH = 120  # characters of a failed command
ODD_BYTES = "replace"  # what is no text becomes U+FFFD, and parts words: a search beside it still finds


class LabError(Exception):
    """Something that the lab needs is missing or failed; the text says what and what to do."""


def run(
    command: Sequence[str | Path], *, launcher: Sequence[str] = (), stdin: str = "", timeout: float = 60
) -> str:
    """Run a command to its end and return its standard output.

    + launcher: words that start the command in its surroundings; errors do not mention them
    + timeout: seconds, after which it is killed

    Raises LabError if it is not there, exits non-zero or takes too long.
    """
    words = [*launcher, *map(str, command)]
    try:
        done = subprocess.run(
            words,
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            errors=ODD_BYTES,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{_shown(command)}` did not end within {timeout:.0f} s") from error
    if done.returncode != 0:
        raise LabError(f"`{_shown(command)}` exited {done.returncode}: {tail(done.stderr or done.stdout)}")
    return done.stdout


def spawn(command: Sequence[str | Path], log: Path, *, launcher: Sequence[str]) -> None:
    """Start a command that outlives this program, in a session of its own (no terminal's Ctrl-C reaches it).

    + log: file that takes its standard output and error
    + launcher: as for `run`

    What becomes of it shows in the log only.
    """
    # setsid(1) forks and returns: there is no child left here to wait for.
    words = ["setsid", "--fork", *launcher, *map(str, command)]
    with log.open("w") as output:
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


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


def as_text(said: bytes) -> str:
    """What a log, a mail or a host says, as text.

    Not all of it is UTF-8: Postfix folds a long line of its log wherever it is full, in the middle of a
    character too, and mail programs send what they like.
    """
    return said.decode(errors=ODD_BYTES)


def tail(text: str) -> str:
    """The last lines of a program's output, on one line."""
    return " | ".join(line.strip() for line in text.strip().splitlines()[-TAIL_LINES:])


def _shown(command: Sequence[str | Path]) -> str:
    text = " ".join(map(str, command)).replace("\n", " ")
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
