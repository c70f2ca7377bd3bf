"""Where the tests' mail program stands: on the inventory's client host, or on this machine."""

import socket
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from tests.support.remote import Remote
from tests.support.secrets_of import spellings

Family = Literal["IPv4", "IPv6"]
FAMILIES: tuple[Family, ...] = ("IPv4", "IPv6")
PORTS = (25, 465, 587)


class ClientHost(Protocol):
    """A host on which the mail program runs: from there relays are looked up and connected to."""

    def look_up(self, name: str) -> dict[Family, str]:
        """Find a name's addresses, one of each family that it has."""

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Open a connection."""


class ThisMachine:
    """This machine."""

    def look_up(self, name: str) -> dict[Family, str]:
        """Ask this machine's resolver."""
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            return {}
        return one_of_each(str(address[0]) for *_, address in found)

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Connect directly."""
        return socket.create_connection((address, port), timeout)


class InventoryClient:
    """The inventory's client host. The relays see its addresses, as they would see a user's at home."""

    def __init__(self, client: Remote, sockets: Path) -> None:
        """Stand on a host.

        :param sockets: short directory for the forwarded connections' sockets
        """
        self.remote = client
        self._sockets = sockets
        self._forwarded: dict[tuple[str, int], Path] = {}

    def look_up(self, name: str) -> dict[Family, str]:
        """Ask the client's resolver."""
        return one_of_each(
            line.split()[0] for line in self.remote.run(f"getent ahosts {name} || true").splitlines()
        )

    def forward(self, addresses: Iterable[str]) -> None:
        """Open the way to these addresses' mail ports."""
        ends = [(address, port) for address in addresses for port in PORTS]
        self._forwarded = {end: self._sockets / str(number) for number, end in enumerate(ends)}
        self.remote.forward({path: end for end, path in self._forwarded.items()})

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Connect through the client; the relay's side of the connection begins there."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(str(self._forwarded[address, port]))
        return connection

    @cached_property
    def addresses(self) -> list[str]:
        """Ask the client for its own."""
        return self.remote.addresses()

    @cached_property
    def traces(self) -> list[str]:
        """Write the client's addresses in each way, and add its names."""
        written = {spelling for address in self.addresses for spelling in spellings(address)}
        return sorted(written | {self.remote.name, self.remote.run("hostname").strip()})


def one_of_each(addresses: Iterable[str]) -> dict[Family, str]:
    found: dict[Family, str] = {}
    for address in addresses:
        found.setdefault("IPv6" if ":" in address else "IPv4", address)
    return {family: found[family] for family in FAMILIES if family in found}
