"""Where the lab keeps things on the machine that runs it."""

from __future__ import annotations

from pathlib import Path

from lab.topology import LAB_SUFFIX, Host

CACHE = Path("/var/cache/quietrelay-lab")  # built systems, for all labs; kept until `down --purge`
STATE = Path(f"/var/lib/quietrelay-lab{LAB_SUFFIX}")  # one running lab, for root only; gone after `down`

SSH_CONFIG = STATE / "ssh_config"
SSH_KEY = STATE / "ssh_key"
KNOWN_HOSTS = STATE / "known_hosts"
SSH_SOCKETS = STATE / "mux"
SERVICE_PASSWORD_FILE = STATE / "service-password"  # the relays' own, for the directory
HOST_KEYS = STATE / "host-keys"

CERTIFICATES = STATE / "certificates"
CA_CERTIFICATE = STATE / "ca.pem"
CA_KEY = STATE / "ca.key"

DNS_CONFIG = STATE / "dnsmasq.conf"


def host_directory(host: Host) -> Path:
    """The directory with a host's file system and console log."""
    return STATE / "hosts" / host.short
