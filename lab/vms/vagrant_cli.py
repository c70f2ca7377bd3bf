"""Vagrant's command line, by python-vagrant: every wait has a limit, errors come in Vagrant's own words."""

# mypy: allow-untyped-calls
# python-vagrant has no types.

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO, Any

import vagrant

from lab.process import LabError, as_text, tail
from lab.vms.paths import PROJECT, VAGRANT_LOG
from lab.vms.topology import EMULATOR_MEMORY, MACHINES, MEMORY, SPARE_MEMORY

PATIENCE = 600  # seconds for one of Vagrant's commands; Vagrantfile says how long a boot may take
PROVIDERS = {"libvirt": "virsh", "virtualbox": "VBoxManage"}  # each with a command that shows it is there


class Vagrant(vagrant.Vagrant):  # python-vagrant has no types
    """python-vagrant that waits for nothing forever, and keeps what Vagrant says in a file."""

    def __init__(self) -> None:
        """Stand in the project's directory."""
        environment = os.environ | {"QUIETRELAY_FURNISH": "later"}
        super().__init__(root=str(PROJECT), out_cm=_log, err_cm=_log, env=environment)

    def do(self, *words: str) -> None:
        """Run a command for which python-vagrant has no words, or wrong ones."""
        self._call_vagrant_command(words)

    def _make_vagrant_command(self, words: Sequence[str | None]) -> list[str]:
        command: list[str] = super()._make_vagrant_command(words)
        return ["timeout", "--kill-after=10", str(PATIENCE), *command]


def check(provider: str) -> None:
    """Raises LabError where this machine lacks something, before anything is started."""
    if not shutil.which("vagrant"):
        raise LabError("vagrant is not installed: apt-get install vagrant")
    if provider not in PROVIDERS:
        raise LabError(f"no provider {provider!r}: there are {' and '.join(PROVIDERS)}")
    if not shutil.which(PROVIDERS[provider]):
        raise LabError(f"{provider} is not installed ({PROVIDERS[provider]} is not there)")
    if provider == "libvirt" and not any(p.name == "vagrant-libvirt" for p in Vagrant().plugin_list()):
        raise LabError("Vagrant has no plugin for libvirt: apt-get install vagrant-libvirt")


def check_memory() -> None:
    """Raises LabError where the machines would not fit beside what runs."""
    available = _available_memory()
    needed = len(MACHINES) * (MEMORY + EMULATOR_MEMORY) + SPARE_MEMORY
    if available < needed:
        raise LabError(
            f"{len(MACHINES)} machines of {MEMORY} MB need {needed} MB of memory, and {available} are free"
        )


@contextlib.contextmanager
def explained(command: str) -> Iterator[None]:
    """Turn the failure of one of Vagrant's commands into an error with its last words."""
    try:
        yield
    except subprocess.CalledProcessError as error:
        said = tail(as_text(VAGRANT_LOG.read_bytes())) if VAGRANT_LOG.exists() else ""
        ended = f"took more than {PATIENCE} s" if error.returncode == 124 else "failed"
        raise LabError(f"`vagrant {command}` {ended}, see {VAGRANT_LOG}: {said}") from error


@contextlib.contextmanager
def _log() -> Iterator[IO[Any]]:
    VAGRANT_LOG.parent.mkdir(exist_ok=True)
    with VAGRANT_LOG.open("a") as log:
        yield log


def _available_memory() -> int:
    """Memory that a new process could have, in MB: what is cached counts as free. See proc(5), meminfo."""
    with open("/proc/meminfo") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    return 0
