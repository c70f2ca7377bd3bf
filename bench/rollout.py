"""Where a rollout ends: relays one after the other get another setting, and one of them a fault as well."""

import subprocess
import sys
import time
from pathlib import Path

from bench import fleet
from bench.converged import inventory_of
from bench.host import run_on
from bench.timing import PATIENCE

FAULTY = 3  # the number of the relay whose password for the directory is wrong
WRONG = Path(__file__).with_name("wrong.password")
DAYS = "4"


def measure(hosts: int) -> dict[str, float]:
    """Roll out to so many relays of the fleet, and tell which have become what; then settle them again.

    :raises AssertionError: where any but the faulty one goes back, or one after that is touched
    """
    relays = fleet.relays(hosts)
    begin = time.monotonic()
    printed = _deploy(hosts, {"BENCH_FAULTY": str(FAULTY), "BENCH_DAYS": DAYS}, fails=True)
    seconds = time.monotonic() - begin
    back = [line for line in printed.splitlines() if "went back to the relay that was before" in line]
    assert len(back) == 1, printed[-3000:]
    assert relays[FAULTY - 1].name in back[0]
    found = {relay: run_on(relay, "postconf -h maximal_queue_lifetime").strip() for relay in relays}
    changed = [relay for relay in relays if found[relay] == f"{DAYS}d"]
    assert changed == relays[: FAULTY - 1], found
    _deploy(hosts, {}, fails=False)
    return {"hosts": hosts, "faulty": FAULTY, "changed": len(changed), "seconds": seconds}


def _deploy(hosts: int, more: dict[str, str], fails: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "quietrelay", "deploy", "-y", "--serial", "bench/inventory.py"],
        env=inventory_of(hosts) | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stdout[-3000:]
    return done.stdout
