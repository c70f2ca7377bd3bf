"""What tests and inventories need to know about the VMs, and may do to them. Importing it does nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pyinfra.api.exceptions import InventoryError

from lab import certificates
from lab.certificates import LIFETIME, Certificate
from lab.topology import LAB, PEOPLE_DN, SERVICE_DN, Host
from lab.vms import machines
from lab.vms.paths import CA_CERTIFICATE, KNOWN_HOSTS, SERVICE_PASSWORD_FILE, SSH_SETTINGS, STATE
from lab.vms.topology import HOSTS, RELAYS, SNAPSHOT_FIRST, SNAPSHOT_TESTS, machine_named

__all__ = [
    "CA_CERTIFICATE",
    "HOSTS",
    "PEOPLE_DN",
    "RELAYS",
    "SERVICE_DN",
    "SERVICE_PASSWORD_FILE",
    "SUDOER",
    "issue_certificate",
    "put_back",
    "remember",
    "reset",
    "restart",
    "ssh",
]


SUDOER = "vagrant"
"""Who may log in to a host beside root, and become it."""


def ssh(host: Host) -> dict[str, Any]:
    """How pyinfra reaches a host: what Vagrant said of its machine, or the laptop's own address.

    Raises InventoryError, with what to do, where the machines are not up.
    """
    if LAB != 1:
        raise InventoryError(f"the machines are there once, and no lab {LAB} of them; unset QUIETRELAY_LAB")
    if not SSH_SETTINGS.exists():
        raise InventoryError("the machines are not up; start them: vagrant up")
    machine = machine_named(host.name)
    try:
        settings = json.loads(SSH_SETTINGS.read_text())[machine.name]
    except KeyError:
        raise InventoryError(f"{machine.name} is not up; start it: vagrant up {machine.name}") from None
    own_address = host.role == "client"  # it shares a machine, but not its network
    return {
        "ssh_hostname": host.ipv4 if own_address else settings["HostName"],
        "ssh_port": 22 if own_address else int(settings["Port"]),
        "ssh_user": "root",  # sudo for each command would take a third of a second under emulation
        "ssh_key": settings["IdentityFile"],
        "ssh_known_hosts_file": str(KNOWN_HOSTS),
    }


def reset(name: str) -> None:
    """Put a host's machine into its first state: furnished, and nothing deployed.

    + name: full or short host name

    Raises KeyError for an unknown name, LabError if the machine does not come back.
    """
    machines.restore_one(machine_named(name), SNAPSHOT_FIRST)


def restart(*names: str) -> None:
    """Switch hosts' machines off and on, with what they have on disk. Raises as `reset` does."""
    machines.restart([machine_named(name) for name in names])


def remember() -> None:
    """Note how all machines are, memory and disk."""
    machines.save(SNAPSHOT_TESTS)


def put_back() -> None:
    """Put all machines back to what was remembered."""
    machines.restore(SNAPSHOT_TESTS)


def issue_certificate(name: str, *addresses: str, lifetime: timedelta = LIFETIME) -> Certificate:
    """A server certificate and key in PEM from the lab's authority, which CA_CERTIFICATE holds.

    + name: host name
    + addresses: IPv4 and IPv6 addresses that it is for as well
    + lifetime: from now on; negative for one that has expired
    """
    return certificates.issue(certificates.ensure_authority(STATE), name, *addresses, lifetime=lifetime)
