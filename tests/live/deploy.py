"""Runs the deploy as a person does: pyinfra's command line in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.landscape import Landscape

PATIENCE = 600  # seconds


@dataclass(frozen=True)
class Run:
    """What a run printed and did."""

    returncode: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """What pyinfra reports with --json."""
        assert self.returncode == 0, self.complaint()
        report: dict[str, Any] = json.loads(self.output)
        return report

    @property
    def changed(self) -> dict[str, list[str]]:
        """The operations that changed something, each with its hosts."""
        return {op["name"]: op["success"] for op in self.report["results"]["operations"] if op["success"]}

    @property
    def planned(self) -> dict[str, list[str]]:
        """The operations that would change something, each with its hosts."""
        return {op["name"]: op["hosts_with_change"] for op in self.report["plan"] if op["hosts_with_change"]}

    def complaint(self) -> str:
        """Say how a run ended that should have ended well."""
        return f"pyinfra exited {self.returncode}:\n{self.errors[-3000:]}"


def pyinfra(landscape: Landscape, root: Path, *options: str) -> Run:
    """Run the deploy on the relays of the inventory.

    :param root: where deploy.py lies
    :param options: further ones of pyinfra's command line
    """
    command = [sys.executable, "-m", "pyinfra", landscape.inventory, "deploy.py", "-y", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    return Run(done.returncode, done.stdout, done.stderr)
