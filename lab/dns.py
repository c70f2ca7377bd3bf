"""The lab's name server: dnsmasq on the bridge. What it does not know it asks the machine's resolver."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from lab import cgroups
from lab.network import BRIDGE
from lab.paths import DNS_CONFIG, STATE
from lab.process import spawn, wait_until
from lab.topology import GATEWAY_IPV4, HOSTS, MAIL_EXCHANGERS, Host

GROUP = "dns"

# Further addresses that a client may take, by their distance from its own, and how they are named: nobody
# knows the first; the second has a name that leads elsewhere. A home's address is known in all of these ways.
NAMELESS, MISNAMED = 1, 2
MISNAMED_AS = "dsl-misnamed.home.test"


def dnsmasq_config(hosts: Sequence[Host], exchangers: Mapping[str, str]) -> str:
    """The configuration, see dnsmasq(8)."""
    lines = [
        f"interface={BRIDGE}",
        "except-interface=lo",
        "bind-interfaces",
        "pid-file",  # none: its control group says whether it runs
        "log-facility=-",
    ]
    return "\n".join(lines) + "\n" + names(hosts, exchangers)


def names(hosts: Sequence[Host], exchangers: Mapping[str, str]) -> str:
    """The part of the configuration that says what is known. A host-record gives A, AAAA and both PTR."""
    lines = [
        "no-hosts",
        # Nothing about the lab is ever asked outside.
        "local=/test/",
        "bogus-priv",
        *(f"host-record={host.name},{host.ipv4},{host.ipv6}" for host in hosts),
        *(f"ptr-record={ip_address(one).reverse_pointer},{MISNAMED_AS}" for one in misnamed(hosts)),
        *(f"mx-host={domain},{exchanger},10" for domain, exchanger in exchangers.items()),
    ]
    return "\n".join(lines) + "\n"


def misnamed(hosts: Sequence[Host]) -> list[str]:
    """The addresses that the clients may take and that are named wrongly."""
    clients = [host for host in hosts if host.role == "client"]
    return [
        str(address)
        for client in clients
        for address in further_addresses(IPv4Address(client.ipv4), IPv6Address(client.ipv6), MISNAMED)
    ]


def further_addresses(ipv4: IPv4Address, ipv6: IPv6Address, distance: int) -> tuple[IPv4Address, IPv6Address]:
    """Addresses beside a client's own."""
    return ipv4 + distance, ipv6 + distance


def ensure() -> None:
    """Start the name server, or start it again if it runs with another configuration."""
    config = dnsmasq_config(HOSTS, MAIL_EXCHANGERS)
    if cgroups.populated(GROUP) and DNS_CONFIG.exists() and DNS_CONFIG.read_text() == config and answers():
        return
    cgroups.end(GROUP)
    DNS_CONFIG.write_text(config)
    command = ["dnsmasq", "--keep-in-foreground", f"--conf-file={DNS_CONFIG}"]
    spawn(command, STATE / "dnsmasq.log", launcher=cgroups.joining(GROUP))
    wait_until(answers, f"the name server, see {STATE / 'dnsmasq.log'}", timeout=10)


def answers() -> bool:
    """Whether the name server accepts connections."""
    try:
        socket.create_connection((GATEWAY_IPV4, 53), timeout=0.5).close()
    except OSError:
        return False
    return True
