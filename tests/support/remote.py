"""A shell on a host, over one SSH connection that the whole session shares."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import testinfra

from tests.support.inventory import Entry


class Remote:
    """Root's shell on a host of the inventory, reached as pyinfra reaches it."""

    def __init__(self, entry: Entry, sockets: Path) -> None:
        """Prepare the connection; it opens with the first command.

        :param sockets: short directory for the shared connection's socket, whose path must fit 108 bytes
        """
        self.name = entry.name
        self._options, self._destination = _ssh(entry, sockets)
        self._sudo: bool = entry.data.get("_sudo", entry.data.get("ssh_user") != "root")
        self.host: Any = testinfra.get_host(
            f"ssh://{self._destination}", ssh_extra_args=shlex.join(self._options), sudo=self._sudo
        )

    def run(self, script: str) -> str:
        """Run a shell script as root and return what it prints."""
        return self.run_bytes(script).decode()

    def run_bytes(self, script: str) -> bytes:
        """Run a shell script as root and return what it prints, as bytes.

        :raises ConnectionError: when the host cannot be reached
        """
        try:
            done = self.host.run(script)
        except RuntimeError as failure:  # ssh's own, with exit status 255
            (result,) = failure.args
            raise ConnectionError(f"{self.name} cannot be reached: {result.stderr.strip()}") from None
        assert done.rc == 0, f"{self.name}: exit status {done.rc} of:\n{script}\n{done.stdout}\n{done.stderr}"
        printed: bytes = done.stdout_bytes
        return printed

    def start(self, script: str) -> "subprocess.Popen[str]":
        """Start a shell script as root, to talk with it by its standard input and output."""
        words = [*(["sudo"] if self._sudo else []), "sh", "-c", shlex.quote(script)]
        command = ["ssh", *self._options, self._destination, *words]
        return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def unpack(self, archive: bytes, directory: str) -> None:
        """Unpack a tar archive as root.

        :param directory: absolute path of a directory that is there
        """
        sudo = ["sudo"] if self._sudo else []
        words = [*sudo, "tar", "-x", "--no-same-owner", "-C", directory]
        subprocess.run(
            ["ssh", *self._options, self._destination, shlex.join(words)],
            input=archive,
            check=True,
            timeout=300,
        )

    def addresses(self) -> list[str]:
        """Ask the host for its addresses, those of loopback and link left out."""
        return [str(info["local"]) for link in self.links() for info in link["addr_info"] if info]

    def links(self) -> list[dict[str, Any]]:
        """Ask the host for its interfaces as ip(8) tells of them. Debian 12's adds empty entries."""
        links: list[dict[str, Any]] = json.loads(self.run("ip -json address show scope global"))
        return links

    def forward(self, sockets: dict[Path, tuple[str, int]]) -> None:
        """Let local Unix sockets lead to addresses and ports as this host sees them.

        The shared connection carries them, so nothing has to be started, waited for or ended: they are there
        when ssh returns, and go with the connection (ssh(1), -O forward).
        """
        flags = [f"-L{path}:[{address}]:{port}" for path, (address, port) in sockets.items()]
        self._control("forward", *flags)

    def close(self) -> None:
        """End the shared connection, if one is open."""
        self._control("exit", check=False)

    def _control(self, command: str, *flags: str, check: bool = True) -> None:
        words = ["ssh", *self._options, "-O", command, *flags, self._destination]
        subprocess.run(words, check=check, capture_output=not check, timeout=30)


def _ssh(entry: Entry, sockets: Path) -> tuple[list[str], str]:
    """Translate pyinfra's connection data to ssh_config(5)."""
    settings = {
        "BatchMode": "yes",
        "ControlMaster": "auto",
        "ControlPath": f"{sockets}/%C",
        "ControlPersist": "600",
        "ConnectTimeout": "15",
        "LogLevel": "ERROR",
        "User": entry.data.get("ssh_user"),
        "Port": entry.data.get("ssh_port"),
        "IdentityFile": entry.data.get("ssh_key"),
        "UserKnownHostsFile": entry.data.get("ssh_known_hosts_file"),
        "StrictHostKeyChecking": entry.data.get("ssh_strict_host_key_checking"),
    }
    options = [f"-o{key}={value}" for key, value in settings.items() if value]
    if config := entry.data.get("ssh_config_file"):
        options.append(f"-F{config}")
    return options, str(entry.data.get("ssh_hostname") or entry.name)
