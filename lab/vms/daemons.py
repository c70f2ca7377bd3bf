"""libvirt's daemons, for machines without systemd: started for a run, and stopped after it by process id.

Where libvirt answers already, nothing is started and so nothing stopped. What the daemons leave behind when
they end, firewall chains and kernel settings, is put back to what it was.
"""

from __future__ import annotations

import grp
import json
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

from lab import forwarding
from lab.process import LabError, run, spawn, wait_until
from lab.vms.paths import DAEMONS

# In the order in which they are started; virtlogd keeps the machines' console logs.
NAMES = ("virtlogd", "libvirtd")
HELD = ("net", "pool")  # what outlives libvirtd: a bridge with its name server, a directory
ENDING = 20.0  # seconds
HOLDER = "machines"  # of IPv4 forwarding
KVM = Path("/dev/kvm")
BEFORE = DAEMONS / "before.json"


def ensure() -> None:
    """Let libvirt answer. Raises LabError, with where to look, if it does not."""
    if answers():
        return
    DAEMONS.mkdir(parents=True, exist_ok=True)
    before: dict[str, Any] = {"tables": _tables(), "kvm": _open_kvm()}
    forwarding.hold(HOLDER)  # libvirt turns it on, and leaves it so
    for name in NAMES:
        spawn([name, "--pid-file", _pid_file(name)], DAEMONS / f"{name}.log", launcher=[])
    wait_until(answers, f"libvirt, see {DAEMONS}", timeout=30, pause=0.3)
    before |= {kind: virsh(f"{kind}-list", "--all", "--name").split() for kind in HELD}
    if not BEFORE.exists():  # a second start after an unclean end knows less than the first
        BEFORE.write_text(json.dumps(before))


def stop() -> None:
    """Stop the daemons that `ensure` started, with the networks and pools that they hold, and tidy up."""
    forwarding.release(HOLDER)  # also after a start that came to nothing
    if not BEFORE.exists():
        return
    before = json.loads(BEFORE.read_text())
    if answers():
        for kind in HELD:
            _let_go(kind, before[kind])
    for name in reversed(NAMES):
        _end(name)
    for table in _tables():
        if table not in before["tables"]:
            run(["nft", "delete", "table", *table.split()])
    if before["kvm"]:
        group, mode = before["kvm"]
        os.chown(KVM, -1, group)
        KVM.chmod(mode)
    BEFORE.unlink()


def answers() -> bool:
    """Whether libvirt's daemons are there, ours or the machine's."""
    try:
        virsh("version")
    except LabError:
        return False
    return True


def virsh(*words: str, timeout: float = 60) -> str:
    """Run one of virsh(1)'s commands and return its output. LabError where it fails or takes too long.

    + timeout: seconds
    """
    return run(["virsh", "--quiet", "--connect", "qemu:///system", *words], timeout=timeout)


def _open_kvm() -> tuple[int, int] | None:
    """Give /dev/kvm the owner and mode that udev would (50-udev-default.rules), and return what it had.

    Where it is closed, libvirt finds KVM as root, looks again as the user that machines run as, is surprised,
    and asks QEMU anew what it can do: at each call, for 10 s.
    """
    if not KVM.exists():
        return None
    had = KVM.stat()
    os.chown(KVM, -1, grp.getgrnam("kvm").gr_gid)
    KVM.chmod(0o660)
    return had.st_gid, stat.S_IMODE(had.st_mode)


def _let_go(kind: str, kept: list[str]) -> None:
    """Stop all networks, or pools, and forget those that were not there before."""
    for name in virsh(f"{kind}-list", "--name").split():
        virsh(f"{kind}-destroy", name)
    for name in virsh(f"{kind}-list", "--all", "--name").split():
        if name not in kept:
            virsh(f"{kind}-undefine", name)


def _end(name: str) -> None:
    try:
        pid = int(_pid_file(name).read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() != name:
            return  # the number is somebody else's by now
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return  # not running
    wait_until(lambda: not _runs(pid), f"the end of {name}, process {pid}", timeout=ENDING)


def _runs(pid: int) -> bool:
    try:
        # A zombie has ended; who started it is too busy to say goodbye.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _pid_file(name: str) -> Path:
    return DAEMONS / f"{name}.pid"


def _tables() -> list[str]:
    """The firewall's tables of the kind that iptables(8) makes, as nft(8) names them."""
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False).stdout
    tables = [line.removeprefix("table ") for line in listed.splitlines()]
    return [table for table in tables if table.split()[0] in ("ip", "ip6")]
