"""Whether a guest really boots under KVM here: found out by trying once.

A device file says little: where virtualisation is nested or cut down, KVM is there and a stock kernel hangs
or asks for a register that is not. So the kernel of a box is booted without a disk. It ends by itself, in
a panic for want of a root, once it has come through everything that could hang.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

from lab.process import as_text
from lab.vms.paths import DRIVER

Driver = Literal["kvm", "qemu"]

TRIAL_TIMEOUT = 20.0  # seconds; under KVM it takes 1 to 2
CAME_THROUGH = "Kernel panic"
EMULATOR = "qemu-system-x86_64"


def driver(kernel: Path | None) -> Driver:
    """The libvirt driver for this machine; tried with this kernel at the first time, then remembered.

    Without a kernel to try it is the slow one that always works, and the file DRIVER can say otherwise.
    """
    if not DRIVER.exists():
        DRIVER.parent.mkdir(parents=True, exist_ok=True)
        DRIVER.write_text("kvm" if kernel and boots_under_kvm(kernel) else "qemu")
    return "kvm" if DRIVER.read_text() == "kvm" else "qemu"


def boots_under_kvm(kernel: Path) -> bool:
    """Whether this kernel comes up under KVM, with the processor that the machines would have."""
    try:
        trial = subprocess.run(
            trial_command(kernel),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRIAL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return CAME_THROUGH in as_text(trial.stdout)


def trial_command(kernel: Path) -> list[str]:
    """The command that boots a kernel and nothing else. See qemu(1)."""
    machine = ["-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-display", "none"]
    console = ["-serial", "stdio", "-no-reboot"]
    return [EMULATOR, *machine, *console, "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
