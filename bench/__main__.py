"""Measures, keeps the results and tells them: see bench/run."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bench import cold, converged, fleet, report, rollout, throughput, verification
from bench.timing import run

COUNTS = (1, 10, 20, 50)
FAR = 0.1  # seconds, a round trip
FAR_COUNTS = (1, 20)
VERIFIED = 20  # hosts; so many are rolled out to, too
FIRST_RUNS = 3  # they vary little, and take a minute

Part = Callable[[argparse.Namespace], Any]


def runs_that_change_nothing(options: argparse.Namespace) -> Any:
    """Measure `bench.converged` near and far."""
    rows = []
    for round_trip, counts in ((0.0, COUNTS), (FAR, FAR_COUNTS)):
        some = [count for count in counts if count <= options.hosts]
        measured = converged.measure(some, round_trip, options.runs, options.ansible_runs)
        rows += [{**(row := asdict(one)), **row.pop("sample")} for one in measured]
    return rows


PARTS: dict[str, Part] = {
    "converged": runs_that_change_nothing,
    "cold": lambda options: cold.measure(fleet.relays(1)[0], fleet.bare(2), min(options.runs, FIRST_RUNS)),
    "verification": lambda options: verification.measure(min(options.hosts, VERIFIED)),
    "rollout": lambda options: rollout.measure(min(options.hosts, VERIFIED)),
    "throughput": lambda options: throughput.measure(fleet.relays(1)[0], fleet.bare(1), options.runs),
    "sweep": lambda options: throughput.sweep(fleet.relays(1)[0], options.runs),
}


def main() -> int:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="bench/run", description=f"Measures, and tells in {report.PAGE}.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; without one all")
    parser.add_argument("--runs", type=int, default=5, help="for a median")
    parser.add_argument("--ansible-runs", type=int, default=5, help="for one of Ansible's; 0 leaves it out")
    parser.add_argument("--hosts", type=int, default=max(COUNTS), help="at most")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    fleet.up([*fleet.relays(options.hosts), fleet.bare(1), fleet.bare(2)])
    converged.settle(options.hosts)
    run([converged.PYINFRA[0], "-y", "inventories/lab.py", "deploy.py"], os.environ)
    for part in options.parts or PARTS:
        begin = time.monotonic()
        report.keep(part, PARTS[part](options))
        print(f"{time.monotonic() - begin:8.0f} s  in all: {part}", flush=True)
    print(f"\n{report.publish()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
