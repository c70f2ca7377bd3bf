"""The user's home: its addresses, and what the world calls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.dns import MISNAMED, MISNAMED_AS, NAMELESS, further_addresses
from lab.topology import IPV4, IPV6, host_named
from tests.live.remote import Remote
from tests.live.secrets_of import spellings


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


def homes(client: Remote) -> list[Home]:
    """Name the ways in which a home can be known in DNS: by its name, not at all, and wrongly."""
    host = host_named(client.name)
    names = (host.name, host.short)
    nameless, misnamed = further_addresses(host, NAMELESS), further_addresses(host, MISNAMED)
    return [
        Home("named", host.ipv4, host.ipv6, names),
        Home("nameless", str(nameless[0]), str(nameless[1]), names),
        Home("misnamed", str(misnamed[0]), str(misnamed[1]), (*names, MISNAMED_AS)),
    ]


@contextmanager
def moved_to(home: Home, client: Remote) -> Iterator[None]:
    """Have the client's new connections begin at these addresses."""
    own = host_named(client.name)
    if home.ipv4 == own.ipv4:
        yield
        return
    _change_addresses(client, "replace", home.ipv4, home.ipv6, source=(home.ipv4, home.ipv6))
    try:
        yield
    finally:
        _change_addresses(client, "delete", home.ipv4, home.ipv6, source=(own.ipv4, own.ipv6))


def _change_addresses(client: Remote, verb: str, ipv4: str, ipv6: str, source: tuple[str, str]) -> None:
    """Add or remove addresses of a host of the lab, and say which are used (ip-route(8), «src»)."""
    addresses = [
        f"ip address {verb} {ipv4}/{IPV4.prefixlen} dev host0",
        f"ip address {verb} {ipv6}/{IPV6.prefixlen} dev host0 {'nodad' if verb == 'replace' else ''}",
    ]
    routes = [
        f"ip -4 route replace {IPV4} dev host0 proto kernel scope link src {source[0]}",
        f"ip -6 route replace {IPV6} dev host0 proto kernel metric 256 src {source[1]}",
    ]
    commands = [*addresses, *routes] if verb == "replace" else [*routes, *addresses]
    client.run("set -e\n" + "\n".join(commands))
