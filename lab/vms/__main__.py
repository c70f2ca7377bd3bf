"""The command line: python -m lab.vms up | down | status | save | restore | furnish | describe."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import lifecycle
from lab.mounts import remove_tree
from lab.process import LabError
from lab.vms import acceleration, boxes, daemons, leftovers, machines, vagrant_cli
from lab.vms.paths import SSH_SETTINGS, STATE
from lab.vms.topology import (
    CPUS,
    MACHINES,
    MEMORY,
    MTU,
    NAT_IPV4,
    SNAPSHOT_FIRST,
    SNAPSHOT_TESTS,
    Machine,
    machine_named,
)

BOX_SETTING = (
    "QUIETRELAY_BOX"  # a published box, «bookworm» or «trixie» put in for {release}: debian/{release}64
)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m lab.vms", description="The lab's hosts as Vagrant's machines."
    )
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="build boxes, start the machines, take a first snapshot")
    up.add_argument("--provider", default=os.environ.get("VAGRANT_DEFAULT_PROVIDER", "libvirt"))
    commands.add_parser("down", help="remove the machines and everything that was started for them")
    for name, text in (("save", "take a snapshot"), ("restore", "go back to a snapshot")):
        command = commands.add_parser(name, help=text)
        command.add_argument("snapshot", choices=(SNAPSHOT_FIRST, SNAPSHOT_TESTS))
    furnish = commands.add_parser("furnish", help="what Vagrantfile does with a machine that has booted")
    furnish.add_argument("machine", choices=[machine.name for machine in MACHINES])
    describe = commands.add_parser("describe", help="tell Vagrantfile of the machines, in JSON")
    describe.add_argument("--driver", action="store_true", help="say which driver libvirt should use instead")
    return top


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        act(options)
    except LabError as error:
        print(f"lab.vms: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab.vms: interrupted; `python -m lab.vms down` removes what is there", file=sys.stderr)
        return 130
    return 0


def act(options: argparse.Namespace) -> None:
    """Carry out one command."""
    match options.command:
        case "up":
            up(options.provider)
        case "down":
            down()
        case "save":
            with lifecycle.stage(f"snapshot «{options.snapshot}» taken"):
                machines.save(options.snapshot)
        case "restore":
            with lifecycle.stage(f"snapshot «{options.snapshot}» restored"):
                machines.restore(options.snapshot)
        case "furnish":
            with lifecycle.stage(f"{options.machine} furnished"):
                machines.furnish(machine_named(options.machine))
        case "describe":
            print(driver() if options.driver else json.dumps(describe()))


def up(provider: str) -> None:
    """Bring everything up, or nothing: a failed first try is taken down again. What is up stays as it is."""
    vagrant_cli.check(provider)
    if SSH_SETTINGS.exists():
        _up(provider)
        return
    vagrant_cli.check_memory()
    try:
        _up(provider)
    except LabError:
        with contextlib.suppress(LabError):  # the first error is the one to tell
            down()
        raise


def _up(provider: str) -> None:
    """Have boxes, start the machines, take a first snapshot."""
    if os.environ.get(BOX_SETTING):
        for box in sorted({described(machine)["box"] for machine in MACHINES}):
            machines.ensure_published(box, provider)
    elif provider == "libvirt":
        boxes.check_architecture()
        for machine in MACHINES:
            boxes.ensure(machine)
        boxes.prune()
    else:
        raise LabError(f"boxes are built for libvirt only: name published ones in ${BOX_SETTING}")
    if provider == "libvirt":
        daemons.ensure()
        print(f"libvirt runs the machines under {driver()}", flush=True)
    machines.up(provider)
    with lifecycle.stage("first snapshot taken"):
        machines.save(SNAPSHOT_FIRST)


def down() -> None:
    """Leave nothing but the boxes. Safe at any time; what is not there is passed over."""
    libvirt = daemons.answers()
    try:
        if shutil.which("vagrant") and (libvirt or not daemons.BEFORE.exists()):
            machines.destroy()
    finally:
        if libvirt:
            leftovers.clean()
        daemons.stop()
        remove_tree(STATE)


def driver() -> acceleration.Driver:
    """Which of libvirt's drivers runs a guest here."""
    # Published boxes come without a kernel to try; the machine's own is as good.
    kernels = [boxes.kernel(MACHINES[0]), *sorted(Path("/boot").glob("vmlinuz-*"))]
    return acceleration.driver(next((kernel for kernel in kernels if os.access(kernel, os.R_OK)), None))


def describe() -> dict[str, object]:
    """All that Vagrantfile has to know."""
    return {
        "nat": str(NAT_IPV4),
        "mtu": MTU,
        "memory": MEMORY,
        "cpus": CPUS,
        "machines": [described(machine) for machine in MACHINES],
    }


def described(machine: Machine) -> dict[str, str]:
    """One machine: its box and its place in the network."""
    published = os.environ.get(BOX_SETTING)
    box = (
        {"box": published.format(release=machine.release)}
        if published
        else {
            "box": boxes.name(machine),
            "url": boxes.path(machine).as_uri(),
        }
    )
    return {"name": machine.name, "mac": machine.mac, "address": machine.hosts[0].ipv4} | box


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
