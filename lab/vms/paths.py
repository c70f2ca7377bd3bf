"""Where the VMs' side of the lab keeps things on the machine that runs them."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BOXES = Path("/var/cache/quietrelay-boxes")  # built boxes, kept

# Of the machines of this clone, beside Vagrant's own notes on them; gone with `python -m lab.vms down`.
STATE = PROJECT / ".vagrant" / "quietrelay"
SSH_SETTINGS = STATE / "ssh.json"
KNOWN_HOSTS = STATE / "known_hosts"
SERVICE_PASSWORD_FILE = STATE / "service-password"
CA_CERTIFICATE = STATE / "ca.pem"
DRIVER = STATE / "driver"  # what a guest really booted under: kvm or qemu
VAGRANT_LOG = PROJECT / ".vagrant" / "quietrelay.log"  # outlives the machines: it tells why they failed
DAEMONS = STATE / "libvirt"  # logs and PID files of daemons that were started for the run
