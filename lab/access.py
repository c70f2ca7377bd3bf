"""Keys, and the ssh_config(5) by which everybody reaches the hosts: people, tests, pyinfra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.paths import HOST_KEYS, KNOWN_HOSTS, SERVICE_PASSWORD_FILE, SSH_CONFIG, SSH_KEY, SSH_SOCKETS
from lab.process import LabError, run
from lab.topology import HOSTS, SERVICE_PASSWORD, Host

SHARED_SETTINGS = f"""\
Host *
    User operator
    IdentityFile {SSH_KEY}
    IdentitiesOnly yes
    UserKnownHostsFile {KNOWN_HOSTS}
    StrictHostKeyChecking yes
    ConnectTimeout 10
    # One connection serves many commands: a handshake for each would be most of a test's time.
    ControlMaster auto
    ControlPath {SSH_SOCKETS}/%r@%h
    ControlPersist 120
    # A host that is gone is noticed after 15 s.
    ServerAliveInterval 5
    LogLevel ERROR
"""


def ssh_config(hosts: Sequence[Host]) -> str:
    """The configuration that reaches these hosts by their full names.

    Names are not looked up: the machine's own resolver does not know the lab's.
    """
    entries = [f"Host {host.name}\n    HostName {host.ipv4}\n" for host in hosts]
    return "\n".join([*entries, SHARED_SETTINGS])


def known_hosts(public_keys: Mapping[Host, str]) -> str:
    """The host keys, under each name and address that a client may use (sshd(8), SSH_KNOWN_HOSTS)."""
    lines = [f"{host.name},{host.ipv4},{host.ipv6} {key.strip()}" for host, key in public_keys.items()]
    return "\n".join(lines) + "\n"


def host_key(host: Host) -> Path:
    """The file with a host's private key; its public key is beside it, in `.pub`."""
    return HOST_KEYS / host.short


def ensure(hosts: Sequence[Host] = HOSTS) -> None:
    """Make the keys that are missing, and write the configuration and the relays' own password."""
    for directory in (HOST_KEYS, SSH_SOCKETS):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _ensure_key(SSH_KEY, "quietrelay lab")
    for host in hosts:
        _ensure_key(host_key(host), host.name)
    KNOWN_HOSTS.write_text(known_hosts({host: public_key(host_key(host)) for host in hosts}))
    SSH_CONFIG.write_text(ssh_config(hosts))
    SERVICE_PASSWORD_FILE.touch(mode=0o600)
    SERVICE_PASSWORD_FILE.write_text(f"{SERVICE_PASSWORD}\n")


def public_key(private: Path) -> str:
    """The public half of a key pair, as one line."""
    return private.with_name(f"{private.name}.pub").read_text()


def command(host: Host, words: Sequence[str], user: str = "operator") -> list[str]:
    """The ssh command that runs a command on a host."""
    return ["ssh", "-F", str(SSH_CONFIG), "-o", "BatchMode=yes", "-l", user, host.name, *words]


def disconnect(host: Host) -> None:
    """End the shared connections to a host: they would hang once it is gone."""
    for socket in SSH_SOCKETS.glob(f"*@{host.ipv4}"):
        try:
            run(["ssh", "-F", SSH_CONFIG, "-S", socket, "-O", "exit", host.name], timeout=5)
        except LabError:
            socket.unlink(missing_ok=True)  # nobody listens to it any more


def _ensure_key(private: Path, comment: str) -> None:
    if not private.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", private])
