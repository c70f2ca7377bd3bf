"""How long it takes to verify relays: the tests that need no account and change nothing."""

import re
import sys
import time

from bench.converged import inventory_of
from bench.timing import run


def measure(hosts: int) -> dict[str, float]:
    """Run ``pytest tests/ --inventory`` on so many relays of the fleet; all tests have to pass."""
    words = [
        sys.executable,
        "-m",
        "pytest",
        "tests/",
        "-q",
        "--inventory",
        "bench/inventory.py",
    ]
    begin = time.monotonic()
    printed = run(words, inventory_of(hosts))
    passed = re.search(r"(\d+) passed", printed)
    assert passed, printed
    return {"hosts": hosts, "tests": int(passed[1]), "seconds": time.monotonic() - begin}
