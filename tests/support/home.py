"""The user's home: its addresses, and what the world calls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Interface, IPv6Interface

from lab.dns import MISNAMED, MISNAMED_AS, NAMELESS, further_addresses
from tests.support.remote import Remote
from tests.support.secrets_of import spellings


@dataclass(frozen=True)
class Home:
    """Where a user sends from."""

    kind: str
    ipv4: str
    ipv6: str
    names: tuple[str, ...]

    @property
    def secrets(self) -> list[str]:
        """All that would tell where it is."""
        return [*spellings(self.ipv4), *spellings(self.ipv6), *self.names]

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Link:
    """The interface by which a host is in the lab, and its address there in each family."""

    interface: str
    ipv4: IPv4Interface
    ipv6: IPv6Interface


@cache  # asked once, before anybody moves
def own_link(client: Remote) -> Link:
    """Ask the client for its only way to the relays."""
    (link,) = [link for link in client.links() if any(link["addr_info"])]
    written = [f"{info['local']}/{info['prefixlen']}" for info in link["addr_info"] if info]
    (ipv4,) = [IPv4Interface(one) for one in written if ":" not in one]
    (ipv6,) = [IPv6Interface(one) for one in written if ":" in one]
    return Link(link["ifname"], ipv4, ipv6)


def homes(client: Remote) -> list[Home]:
    """Name the ways in which a home can be known in DNS: by its name, not at all, and wrongly."""
    names, own = (client.name, client.name.partition(".")[0]), own_link(client)
    nameless, misnamed = (
        further_addresses(own.ipv4.ip, own.ipv6.ip, distance) for distance in (NAMELESS, MISNAMED)
    )
    return [
        Home("named", str(own.ipv4.ip), str(own.ipv6.ip), names),
        Home("nameless", str(nameless[0]), str(nameless[1]), names),
        Home("misnamed", str(misnamed[0]), str(misnamed[1]), (*names, MISNAMED_AS)),
    ]


@contextmanager
def moved_to(home: Home, client: Remote) -> Iterator[None]:
    """Have the client's new connections begin at these addresses."""
    own = own_link(client)
    if home.ipv4 == str(own.ipv4.ip):
        yield
        return
    _change_addresses(client, "replace", home, source=(home.ipv4, home.ipv6))
    try:
        yield
    finally:
        _change_addresses(client, "delete", home, source=(str(own.ipv4.ip), str(own.ipv6.ip)))


def _change_addresses(client: Remote, verb: str, home: Home, source: tuple[str, str]) -> None:
    """Add or remove addresses of the client, and say which are used (ip-route(8), «src»)."""
    own = own_link(client)
    ipv4, ipv6, interface = own.ipv4.network, own.ipv6.network, own.interface
    no_detection = "nodad" if verb == "replace" else ""
    addresses = [
        f"ip address {verb} {home.ipv4}/{ipv4.prefixlen} dev {interface}",
        f"ip address {verb} {home.ipv6}/{ipv6.prefixlen} dev {interface} {no_detection}",
    ]
    routes = [
        f"ip -4 route replace {ipv4} dev {interface} proto kernel scope link src {source[0]}",
        f"ip -6 route replace {ipv6} dev {interface} proto kernel metric 256 src {source[1]}",
    ]
    commands = [*addresses, *routes] if verb == "replace" else [*routes, *addresses]
    client.run("set -e\n" + "\n".join(commands))
