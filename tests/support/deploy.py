"""Runs the deploy as a person does: pyinfra's command line in a process of its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.command_line import pyinfra

PATIENCE = 600  # seconds

VARIED = """
import runpy

from tasks import settings

_hosts, _data = runpy.run_path({inventory!r})["relays"]
relays = ([host for host in _hosts if host[0] in {relays!r}], _data | {{{data}}})
"""


def vary(inventory: str, copy: Path, data: str, relays: Iterable[str]) -> str:
    """Write an inventory that has some of another one's relays, and other data for them.

    :param copy: where to write it
    :param data: the inside of a dict, in Python, with the names of tasks.settings behind ``settings.``
    :param relays: their names
    :returns: its path
    """
    text = VARIED.format(inventory=str(Path(inventory).resolve()), relays=sorted(relays), data=data)
    copy.write_text(text)
    return str(copy)


@dataclass(frozen=True)
class Run:
    """What a run printed and did."""

    status: int
    output: str
    errors: str

    @property
    def changed(self) -> dict[str, list[str]]:
        """The operations that changed something, each with its hosts."""
        return {op["name"]: op["success"] for op in self._results["operations"] if op["success"]}

    @property
    def failed(self) -> dict[str, list[str]]:
        """The operations that failed, each with its hosts."""
        return {op["name"]: op["error"] for op in self._results["operations"] if op["error"]}

    @property
    def unchanged(self) -> int:
        """How often an operation found a host as it should be."""
        return int(self._results["totals"]["no_change"])

    def complaint(self) -> str:
        """Say how a run ended that should have ended well."""
        return f"pyinfra exited {self.status}:\n{self.errors[-3000:]}"

    @property
    def _results(self) -> dict[str, Any]:
        assert self.status == 0, self.complaint()
        results: dict[str, Any] = json.loads(self.output)["results"]
        return results


class Deploy:
    """The deploy, with an inventory."""

    def __init__(self, inventory: str, root: Path) -> None:
        """Choose the inventory.

        :param root: where deploy.py lies
        """
        self.inventory, self.root = str(Path(inventory).resolve()), root

    def run(self, *options: str) -> Run:
        """Deploy, and report in JSON."""
        return self._call("-y", "--json", *options)

    def plan(self) -> Run:
        """Tell what would change, with all that pyinfra shows of it."""
        return self._call("--dry", "--diff")

    def _call(self, *options: str) -> Run:
        done = pyinfra([self.inventory, "deploy.py", *options], self.root, PATIENCE)
        return Run(done.returncode, done.stdout, done.stderr)
