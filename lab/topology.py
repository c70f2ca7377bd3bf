"""What the lab consists of: hosts, addresses, domains and people. Data only; importing it does nothing.

There can be several labs side by side, which share nothing but built systems. Their hosts have the same
names, each in its own lab's DNS. $QUIETRELAY_LAB says which one is meant: 1, if it says nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

Release = Literal["bookworm", "trixie"]
RoleName = Literal["relay", "installed", "directory", "outside", "client"]

# Debian packages that the machine which runs the lab needs; each with a command that shows it is there.
REQUIRED_COMMANDS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
    "ssh": "openssh-client",
}
REQUIRED_PACKAGES = tuple(REQUIRED_COMMANDS.values())

LAB = int(os.environ.get("QUIETRELAY_LAB", "1"))
LAB_SUFFIX = "" if LAB == 1 else f"-{LAB}"  # of what has to be another lab's own

# Private ranges and a unique local prefix (RFC 1918, RFC 4193) that other networks are unlikely to use.
IPV4 = IPv4Network(f"10.207.{93 + LAB}.0/24")
IPV6 = IPv6Network(f"fd5c:7a1e:94b3:{LAB - 1:x}::/64")
GATEWAY_IPV4 = str(IPV4[1])
GATEWAY_IPV6 = str(IPV6[1])
MTU = 1400  # bytes; fits inside tunnels that carry the machine's own traffic

RELAY_DOMAIN = "relay.test"
SECOND_DOMAIN = "second.test"  # of users of the same directory
OUTSIDE_DOMAIN = "outside.test"


@dataclass(frozen=True)
class Host:
    """A test host.

    + name: fully qualified name, which is also its name in DNS and in the lab's ssh_config
    + number: its place in both networks, as the last part of its addresses
    """

    name: str
    role: RoleName
    release: Release
    number: int
    ipv4_network: IPv4Network = IPV4
    ipv6_network: IPv6Network = IPV6

    @property
    def short(self) -> str:
        """The first label: the host name that the system itself has."""
        return self.name.partition(".")[0]

    @property
    def ipv4(self) -> str:
        return str(self.ipv4_network[self.number])

    @property
    def ipv6(self) -> str:
        # Written alike in both families: host 11 is 10.207.94.11 and fd5c:7a1e:94b3::11.
        return str(self.ipv6_network[int(str(self.number), 16)])


HOSTS = (
    Host("bookworm.relay.test", "relay", "bookworm", 11),
    Host("trixie.relay.test", "relay", "trixie", 12),
    Host("directory.relay.test", "directory", "bookworm", 21),
    Host("mx.outside.test", "outside", "bookworm", 31),
    Host("laptop.home.test", "client", "bookworm", 41),
)
RELAYS = tuple(host for host in HOSTS if host.role == "relay")

# Domain to the host that receives its mail.
MAIL_EXCHANGERS = {RELAY_DOMAIN: "bookworm.relay.test", OUTSIDE_DOMAIN: "mx.outside.test"}

# Where mail to any address in OUTSIDE_DOMAIN ends up, on mx.outside.test.
OUTSIDE_MAILDIR = "/var/mail/outside/Maildir"

# Who may hand mail in on mx.outside.test, with a password that has every kind of character, 110 bytes of it.
SMARTHOST_USER = f"customer@{OUTSIDE_DOMAIN}"
SMARTHOST_PASSWORD = (
    "\"quoted\" 'twice' back\\slash\\n #2 %u%% ${HOME} $PATH {x} =: `id` Grüße-пароль-🔑" + "x1-Y" * 8 + "#"
)

BASE_DN = "dc=relay,dc=test"
PEOPLE_DN = f"ou=People,{BASE_DN}"
SERVICE_DN = f"cn=relay,ou=Services,{BASE_DN}"
SERVICE_PASSWORD = "b1nd \"me\" 'now' #2 \\n %u%% $HOME `id` {x} =: ü"  # noqa: S105 - nothing outside the lab takes it

SHARED_ADDRESS = f"sales@{RELAY_DOMAIN}"  # of two people


@dataclass(frozen=True)
class User:
    """A person in the directory.

    + about: what the password exercises
    + domain: that of the mail address
    + aliases: further addresses to send from
    """

    uid: str
    password: str
    about: str
    domain: str = RELAY_DOMAIN
    aliases: tuple[str, ...] = ()

    @property
    def mail(self) -> str:
        return f"{self.uid}@{self.domain}"

    @property
    def dn(self) -> str:
        return f"uid={self.uid},{PEOPLE_DN}"


USERS = (
    User("alice", "correct-horse-7", "ordinary", aliases=(f"a.example@{RELAY_DOMAIN}", SHARED_ADDRESS)),
    User(
        "bob",
        "Tr0ubadour.3",
        "ordinary, a second person",
        aliases=(f"b.example@{RELAY_DOMAIN}", SHARED_ADDRESS),
    ),
    User("carol", "battery-staple-9", "ordinary, in another domain", SECOND_DOMAIN),
    User("inner", "two  words here", "blanks inside"),
    User("leading", "  starts late", "blanks at the start"),
    User("trailing", "ends late  ", "blanks at the end"),
    User("quotes", "it's \"quoted\" 'twice'\"", "single and double quotes"),
    User("backslash", "back\\slash\\n\\\\end\\", "backslashes"),
    User("hash", "#not;a#comment", "comment signs"),
    User("percent", "100%u %s%%d%", "format directives"),
    User("shell", "$HOME`id`$(id)${PATH};|&", "shell expansions"),
    User("unicode", "Grüße-пароль-🔑", "umlauts, Cyrillic and an emoji, in UTF-8"),
    User("long", "x1-Y" * 25, "100 characters"),
)


def host_named(name: str) -> Host:
    """The host with this full or short name.

    Raises KeyError, naming the known hosts, where there is none.
    """
    for host in HOSTS:
        if name in (host.name, host.short):
            return host
    raise KeyError(f"no host {name!r} in the lab; there are {', '.join(host.name for host in HOSTS)}")


def user_named(uid: str) -> User:
    """The person with this user name; KeyError where there is none."""
    for user in USERS:
        if user.uid == uid:
            return user
    raise KeyError(f"no user {uid!r} in the lab; there are {', '.join(user.uid for user in USERS)}")
