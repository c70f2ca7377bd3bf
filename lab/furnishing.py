"""What is written into a host's file system before it boots."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lab import access
from lab.paths import SSH_KEY
from lab.topology import GATEWAY_IPV4, IPV4, IPV6, MTU, Host

AUTHORIZED_KEYS = "/etc/ssh/lab_authorized_keys"


class File(NamedTuple):
    """A file on a host.

    + path: absolute, as the host sees it
    """

    path: str
    text: str
    mode: int = 0o644


def no_files(host: Host, state: Path) -> list[File]:
    """What a host needs that is to stay as Debian made it."""
    return []


@dataclass(frozen=True)
class Role:
    """What makes a host more than a bare Debian.

    + packages: installed beforehand, in a cached layer
    + files: gives the files of its own; beside the host it takes the directory with the lab's certificates
    + setup: shell script that runs once inside the host's system, after its files are written
    """

    packages: Sequence[str] = ()
    files: Callable[[Host, Path], list[File]] = no_files
    setup: str = ""


def common_files(host: Host) -> list[File]:
    """The files that give any host its name, its place in the network and its keys."""
    key = access.host_key(host)
    return [
        File("/etc/hostname", f"{host.short}\n"),
        File("/etc/hosts", hosts_file(host)),
        File("/etc/resolv.conf", f"nameserver {GATEWAY_IPV4}\n"),
        File("/etc/machine-id", f"{hashlib.md5(host.name.encode(), usedforsecurity=False).hexdigest()}\n"),
        File("/etc/systemd/network/10-host0.network", network_file(host)),
        File("/etc/ssh/ssh_host_ed25519_key", key.read_text(), 0o600),
        File("/etc/ssh/ssh_host_ed25519_key.pub", access.public_key(key)),
        File(AUTHORIZED_KEYS, access.public_key(SSH_KEY)),
        File("/etc/ssh/sshd_config.d/lab.conf", SSHD_CONFIG),
    ]


# One file of keys lets in both operator and root; tests keep many sessions in one connection.
SSHD_CONFIG = f"""\
AuthorizedKeysFile {AUTHORIZED_KEYS}
HostKey /etc/ssh/ssh_host_ed25519_key
MaxSessions 100
"""


def hosts_file(host: Host) -> str:
    """/etc/hosts as Debian's installer writes it for a host with fixed addresses."""
    loopback = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
    return f"{loopback}{host.ipv4} {host.name} {host.short}\n{host.ipv6} {host.name} {host.short}\n"


def network_file(host: Host) -> str:
    """The host's addresses, see systemd.network(5). Nobody else can have them: no duplicate detection."""
    return f"""\
[Match]
Name=host0

[Link]
MTUBytes={MTU}

[Network]
Gateway={GATEWAY_IPV4}
IPv6AcceptRA=no

[Address]
Address={host.ipv4}/{IPV4.prefixlen}

[Address]
Address={host.ipv6}/{IPV6.prefixlen}
DuplicateAddressDetection=none
"""


def write(root: Path, files: Sequence[File]) -> None:
    """Write files into the system at root."""
    for file in files:
        path = root / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # a link would lead to the machine's own file
        path.touch(mode=0o600)
        path.write_text(file.text)
        path.chmod(file.mode)


def fingerprint(layers: Sequence[Path], files: Sequence[File], setup: str) -> str:
    """Changes when a host would be made differently today."""
    return hashlib.sha256(repr((layers, files, setup)).encode()).hexdigest()
