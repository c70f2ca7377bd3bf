"""Timing commands: how long they take, and how much of that this machine computes."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PATIENCE = 1800.0  # seconds


@dataclass(frozen=True)
class Sample:
    """Medians of several runs of one command.

    + seconds: from start to end
    + cpu: seconds of computing, of the command and all that it started here
    """

    seconds: float
    cpu: float
    runs: int


def timed(
    words: Sequence[str | Path],
    runs: int,
    environment: Callable[[], Mapping[str, str]],
    right: Callable[[str], bool],
) -> Sample:
    """Run a command so many times.

    :param environment: made anew for each run
    :param right: judges what the command printed
    :raises AssertionError: when it fails, or prints what is not right
    """
    times = []
    for _ in range(runs):
        before, begin = os.times(), time.monotonic()
        printed = run(words, environment())
        seconds, after = time.monotonic() - begin, os.times()
        assert right(printed), f"{_shown(words)} did not do what it should:\n{printed[-3000:]}"
        cpu = after.children_user - before.children_user + after.children_system - before.children_system
        times.append((seconds, cpu))
    return Sample(median(one for one, _ in times), median(one for _, one in times), runs)


def run(words: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    """Run a command and return what it prints.

    Python is as it is by default, and so keeps what it has compiled, however this machine is set up.

    :raises AssertionError: when it fails
    """
    kept = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    done = subprocess.run(list(map(str, words)), env=kept, capture_output=True, text=True, timeout=PATIENCE)
    complaint = f"{_shown(words)} exited {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    assert done.returncode == 0, complaint
    return done.stdout


def _shown(words: Sequence[str | Path]) -> str:
    return " ".join(map(str, words))
