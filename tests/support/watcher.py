"""Looks, as a user without any rights, for secrets that anybody on a host could see. Runs on the host.

The first line of standard input holds JSON: the secrets, the directories to look into, and a file that ends
the watch once it is there. Each place where a secret was seen is printed once.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 1800  # seconds after which it gives up, and fails


def places(directories: list[str]) -> Iterator[Path]:
    """Name all that can be looked at: arguments and environments of processes, and files."""
    for process in Path("/proc").glob("[0-9]*"):
        yield process / "cmdline"
        yield process / "environ"
    for directory in directories:
        for folder, _, files in os.walk(directory):
            yield from (Path(folder) / file for file in files)


def watch(secrets: list[bytes], directories: list[str], end: Path) -> set[str]:
    """Look again and again, and once more after the end.

    :raises TimeoutError: where that does not come: nobody knows what was to be seen after it gave up
    """
    seen = set()
    deadline = time.monotonic() + PATIENCE
    ended = False
    while not ended:
        ended = end.exists()
        if not ended and time.monotonic() > deadline:
            raise TimeoutError(f"nobody has ended the watch in {PATIENCE} s")
        for place in places(directories):
            try:
                content = place.read_bytes()
            except OSError:
                continue  # not ours to read, or gone
            if any(secret in content for secret in secrets):
                seen.add(str(place))
    return seen


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    print("watching", flush=True)
    found = watch([secret.encode() for secret in told["secrets"]], told["directories"], Path(told["end"]))
    print(json.dumps(sorted(found)))
