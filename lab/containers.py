"""Hosts: overlay file systems booted by systemd-nspawn(1), each with a network of its own on the bridge."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from lab import access, bases, cgroups
from lab.furnishing import common_files, fingerprint, write
from lab.mounts import mount_overlay, remove_tree
from lab.network import BRIDGE
from lab.paths import STATE, host_directory
from lab.process import LabError, run, spawn, wait_until
from lab.roles import ROLES
from lab.topology import LAB, Host, Release

BOOT_TIMEOUT = 90.0  # seconds
STOP_TIMEOUT = 20.0
MACHINES = "qr" if LAB == 1 else f"q{LAB}"


def layers(host: Host) -> list[Path]:
    """The cached systems that a host starts from, the uppermost first."""
    base = bases.base_path(host.release)
    packages = ROLES[host.role].packages
    return [bases.layer_path(host.role, host.release, packages), base] if packages else [base]


def every_layer(releases: Sequence[Release]) -> list[Path]:
    """The cached systems that hosts of any role start from."""
    packages = {role: made_of.packages for role, made_of in ROLES.items() if made_of.packages}
    return [
        *(bases.base_path(release) for release in releases),
        *(bases.layer_path(role, release, of) for role, of in packages.items() for release in releases),
    ]


def recreate(host: Host) -> None:
    """Put a host into its first state and boot it, whatever it was before.

    Raises LabError where it does not come up.
    """
    stop(host)
    directory = host_directory(host)
    remove_tree(directory)
    root = mount_overlay(layers(host), directory)
    role = ROLES[host.role]
    write(root, role.files(host, STATE))
    if role.setup:
        bases.run_inside(root, role.setup)
    write(root, common_files(host))  # last, since run_inside puts the machine's resolv.conf there
    boot(host)
    _mark(host).write_text(_fingerprint(host))  # last: where it is, the host is complete


def boot(host: Host) -> None:
    """Boot a host's file system as it is, and wait until all of its services run."""
    directory = host_directory(host)
    command = nspawn_command(host, directory / "root")
    spawn(command, directory / "console.log", launcher=cgroups.joining(host.short))
    wait_until(
        lambda: listens(host), f"{host.name} to boot, see {directory}/console.log", timeout=BOOT_TIMEOUT
    )
    run(
        access.command(host, ["systemctl", "is-system-running", "--wait", "||", "true"]), timeout=BOOT_TIMEOUT
    )
    if failed := failed_units(host):
        raise LabError(f"{host.name} has failed units: {failed}; see `journalctl -b` there")


def stop(host: Host) -> None:
    """Shut a host down; kill it where that takes too long. Its file system stays."""
    access.disconnect(host)
    ask_to_stop(host)
    with contextlib.suppress(LabError):  # what does not stop by itself is ended
        wait_until(lambda: not cgroups.populated(host.short), "a shutdown", timeout=STOP_TIMEOUT)
    cgroups.end(host.short)


def ask_to_stop(host: Host) -> None:
    """Begin an orderly shutdown, and do not wait for it."""
    # systemd-nspawn keeps itself apart from its payload in a group of this name.
    for pid in cgroups.processes(f"{host.short}/supervisor"):
        os.kill(pid, signal.SIGTERM)


def is_current(host: Host) -> bool:
    """Whether a host runs, answers, and was made as it would be made today."""
    mark = _mark(host)
    if not (cgroups.populated(host.short) and mark.exists() and mark.read_text() == _fingerprint(host)):
        return False
    try:
        return failed_units(host) == ""
    except LabError:
        return False


def listens(host: Host) -> bool:
    """Whether a host's SSH server answers."""
    try:
        with socket.create_connection((host.ipv4, 22), timeout=0.2) as connection:
            connection.settimeout(5)
            # A client that leaves without introducing itself would be an error in the host's journal.
            connection.sendall(b"SSH-2.0-quietrelay_lab\r\n")
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def failed_units(host: Host) -> str:
    """The names of a host's failed units."""
    command = ["systemctl", "list-units", "--failed", "--plain", "--no-legend"]
    return " ".join(line.split()[0] for line in run(access.command(host, command), timeout=15).splitlines())


def nspawn_command(host: Host, root: Path) -> list[str]:
    """The command that boots a host.

    It registers nowhere and stays in the group that it is started in, so that it works without systemd on the
    machine. Its network goes away with it.
    """
    return [
        "env",
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={root}",
        f"--machine={MACHINES}-{host.short}",  # also names the bridge's port: vb-..., 15 characters at most
        f"--hostname={host.short}",
        "--register=no",
        "--keep-unit",
        f"--network-bridge={BRIDGE}",
        "--rlimit=NOFILE=1024:524288",  # as systemd has on a machine of its own; the kernel's default is 4096
        "--kill-signal=SIGRTMIN+3",  # what systemd(1) takes for an orderly halt
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
    ]


def _mark(host: Host) -> Path:
    return host_directory(host) / "made-from"


def _fingerprint(host: Host) -> str:
    role = ROLES[host.role]
    return fingerprint(layers(host), [*common_files(host), *role.files(host, STATE)], role.setup)
