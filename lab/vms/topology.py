"""Which machines there are, what they hold of the lab, and their sizes. Data only; importing it does nothing.

The hosts are those of the container lab, by the same names, on a network of their own. Each relay is a
machine; the rest of the world, a directory, a mail server and a user's laptop, share one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network

from lab import topology
from lab.topology import Host, Release

# Debian packages that the machine which runs the VMs needs beside the lab's; with libvirt as provider.
LIBVIRT_PACKAGES = (
    "vagrant",
    "vagrant-libvirt",
    "libvirt-daemon-system",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "iptables",
    "e2fsprogs",
)

# VirtualBox gives host-only networks addresses in 192.168.56.0/21 and nowhere else, by default.
IPV4 = IPv4Network("192.168.61.0/24")
IPV6 = IPv6Network("fd5c:7a1e:94b4::/64")
NAT_IPV4 = IPv4Network("192.168.62.0/24")  # libvirt's way out; VirtualBox brings its own
MTU = 1400  # bytes; fits inside tunnels that carry the machine's own traffic

MEMORY = 1024  # MB, each machine
EMULATOR_MEMORY = 768  # MB, beside each machine's own: most is code that QEMU has translated
CPUS = 1  # under emulation a second one costs more than it gives, for the two wait for each other
SPARE_MEMORY = 512  # MB that stay free beside the machines
SNAPSHOT_FIRST = "first"  # furnished, and nothing deployed yet
SNAPSHOT_TESTS = "before-tests"

HOSTS = tuple(replace(host, ipv4_network=IPV4, ipv6_network=IPV6) for host in topology.HOSTS)
RELAYS = tuple(host for host in HOSTS if host.role == "relay")


def host_of(role: str) -> Host:
    """The host that plays this role, of which there is one; StopIteration where there is none."""
    return next(host for host in HOSTS if host.role == role)


@dataclass(frozen=True)
class Machine:
    """A VM.

    + name: as Vagrant knows it, and its own host name
    + hosts: what it is to others; it has the addresses of all of them
    """

    name: str
    release: Release
    hosts: tuple[Host, ...]

    @property
    def mac(self) -> str:
        """The hardware address in the lab's network, by which the machine tells its interfaces apart."""
        return f"52:54:00:61:00:{self.hosts[0].number:02d}"

    @property
    def is_relay(self) -> bool:
        return self.hosts[0].role == "relay"


WORLD = Machine("world", "bookworm", tuple(host for host in HOSTS if host.role != "relay"))
MACHINES = (*(Machine(host.short, host.release, (host,)) for host in RELAYS), WORLD)


def machine_named(name: str) -> Machine:
    """The machine with this name, or that holds the host with this full or short name; KeyError otherwise."""
    for machine in MACHINES:
        if name in {machine.name} | {n for host in machine.hosts for n in (host.name, host.short)}:
            return machine
    raise KeyError(f"no machine {name!r}; there are {', '.join(machine.name for machine in MACHINES)}")
