"""A run that changes nothing: beside pyinfra's own floor, and beside Ansible, on one host and on many."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import ansible_play, distance, fleet
from bench.host import run_on
from bench.model import CONFIGURATION, read, script
from bench.timing import Sample, run, timed
from lab.lifecycle import in_parallel
from lab.topology import Host

PYINFRA = [".venv/bin/pyinfra", "-y", "--json", "bench/inventory.py"]
DEPLOY, FLOOR, ANSIBLE = "deploy.py", "exec -- true", "Ansible"
MINUTES = 20  # hosts; beyond them, or so many far away, Ansible takes minutes, and is run once


@dataclass(frozen=True)
class Measured:
    """A sample of one of the three.

    + who: `DEPLOY`, `FLOOR` or `ANSIBLE`
    + round_trip: seconds
    """

    who: str
    hosts: int
    round_trip: float
    sample: Sample


def measure(counts: Sequence[int], round_trip: float, runs: int, ansible_runs: int) -> Iterator[Measured]:
    """Measure all numbers of hosts at a distance.

    :param round_trip: seconds
    :param runs: of pyinfra, for a median
    :param ansible_runs: of Ansible, for a median where that takes no minutes; with 0 it is left out
    """
    hosts = fleet.relays(max(counts))
    for count in counts:
        takes_minutes = count > MINUTES or (round_trip > 0 and count == MINUTES)
        once = min(ansible_runs, 1) if takes_minutes else ansible_runs
        with distance.at(round_trip, hosts[:count]) as port:
            for who, sample in _side_by_side(hosts[:count], port, runs, once):
                print(
                    f"{sample.seconds:8.2f} s  {who}, {count} hosts, {round_trip * 1000:.0f} ms", flush=True
                )
                yield Measured(who, count, round_trip, sample)


def _side_by_side(
    hosts: Sequence[Host], port: int | None, runs: int, ansible_runs: int
) -> Iterator[tuple[str, Sample]]:
    def surroundings() -> Mapping[str, str]:
        return inventory_of(len(hosts), port)

    timed([*PYINFRA, "deploy.py"], 1, surroundings, changes_nothing)  # from then on the questions are known
    yield FLOOR, timed([*PYINFRA, "exec", "--", "true"], runs, surroundings, bool)
    yield DEPLOY, timed([*PYINFRA, "deploy.py"], runs, surroundings, changes_nothing)
    if ansible_runs:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            ansible_play.write(directory, hosts[0], hosts, port)
            words: list[str | Path] = [
                ansible_play.COMMAND,
                "-i",
                directory / "hosts.json",
                directory / "relay.yml",
            ]
            yield (
                ANSIBLE,
                timed(
                    words,
                    ansible_runs,
                    lambda: ansible_play.environment(directory, len(hosts)),
                    lambda printed: ansible_play.changes(printed) == 0,
                ),
            )


def settle(count: int) -> None:
    """Deploy to the first relays until nothing is left to do, and have all files alike.

    postconf(1) adds parameters in any order, and an Ansible play that writes whole files would want one.

    :raises AssertionError: when there always is something to do
    """
    run([*PYINFRA, "deploy.py"], inventory_of(count))
    model, *others = fleet.relays(count)
    configuration = read(model, CONFIGURATION)

    def write(host: Host) -> None:
        run_on(host, script(configuration, model, host))

    in_parallel(write, others)
    for _ in range(3):
        if changes_nothing(run([*PYINFRA, "deploy.py"], inventory_of(count))):
            return
    raise AssertionError("the fleet does not converge; see bench/inventory.py deploy.py")


def inventory_of(relays: int | str, port: int | None = None) -> dict[str, str]:
    """Choose the hosts of bench/inventory.py, by their number or one by its name."""
    return os.environ | {"BENCH_RELAYS": str(relays), "BENCH_PORT": str(port or 0)}


def changes_nothing(printed: str) -> bool:
    """Tell whether a run changed nothing, and did look, from what pyinfra printed."""
    totals = json.loads(printed)["results"]["totals"]
    return bool(totals["success"] == totals["error"] == 0 < totals["no_change"])
