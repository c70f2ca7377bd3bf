"""The command line: python -m lab up | down | status | reset | restart."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from lab import cgroups, containers, lifecycle
from lab.hosts import HOSTS, RELAYS, SSH_CONFIG, Host, host_named
from lab.process import LabError
from lab.topology import REQUIRED_COMMANDS

NOT_UP = 3  # exit status of `status`, the one that systemctl(1) has for a unit that does not run


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    about = "Test hosts in containers. Needs root. QUIETRELAY_LAB=2 is another lab beside the first."
    top = argparse.ArgumentParser(prog="python -m lab", description=about)
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the lab, or what is missing of it")
    up.add_argument("--fresh", action="store_true", help="put the relays into their first state")
    down = commands.add_parser("down", help="stop the lab and leave nothing of it but the cache")
    down.add_argument("--purge", action="store_true", help="remove the cache as well")
    commands.add_parser("status", help="say which hosts are up")
    for name, text in (("reset", "put hosts into their first state"), ("restart", "reboot hosts")):
        command = commands.add_parser(name, help=text)
        command.add_argument("hosts", nargs="+", type=_host, metavar="HOST", help="full or short name")
    return top


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        check_machine()
        return act(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `python -m lab down` removes what is there", file=sys.stderr)
        return 130


def act(options: argparse.Namespace) -> int:
    """Carry out one command."""
    match options.command:
        case "up":
            lifecycle.up(RELAYS if options.fresh else ())
            print(f"The lab is up: ssh -F {SSH_CONFIG} {RELAYS[0].name}")
        case "down":
            lifecycle.down()
            if options.purge:
                lifecycle.purge()
        case "status":
            return status()
        case "reset":
            for host in options.hosts:
                lifecycle.reset(host)
        case "restart":
            for host in options.hosts:
                lifecycle.restart(host)
    return 0


def status() -> int:
    """Print a line for each host; the exit status says whether all are up."""
    states = {host: _state(host) for host in HOSTS}
    for host, state in states.items():
        print(f"{host.name:22} {host.role:10} {host.release:9} {host.ipv4:14} {host.ipv6:24} {state}")
    return 0 if set(states.values()) == {"up"} else NOT_UP


def check_machine() -> None:
    """Raises LabError where the lab cannot run."""
    if os.geteuid() != 0:
        raise LabError("containers need root: sudo python -m lab ...")
    missing = [package for command, package in REQUIRED_COMMANDS.items() if not shutil.which(command)]
    if missing:
        raise LabError(f"missing on this machine; install it: apt-get install {' '.join(missing)}")


def _state(host: Host) -> str:
    if not cgroups.populated(host.short):
        return "down"
    return "up" if containers.is_current(host) else "not well; `python -m lab up` makes it anew"


def _host(name: str) -> Host:
    try:
        return host_named(name)
    except KeyError as error:
        raise argparse.ArgumentTypeError(error.args[0]) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
