"""What the tests find: the relays of an inventory, the other hosts that play a role, and an account."""

import shutil
import subprocess
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import pytest

from lab import topology
from lab.certificates import Certificate
from tasks.settings import Settings
from tests.support.at_once import AT_ONCE, at_once
from tests.support.client_host import (
    FAMILIES,
    PORTS,
    ClientHost,
    Family,
    InventoryClient,
    ThisMachine,
    one_of_each,
)
from tests.support.inventory import Entry, InventoryError, read
from tests.support.remote import Remote

TEST_BED = pytest.StashKey["TestBed"]()

ROLES = {
    "outside": "a mail server elsewhere whose mail can be read",
    "client": "a mail program's host",
    "directory": "the directory with the lab's users",
    "expendable": "all relays may be broken",
    "account": "somebody who may log in",
}


class Account(NamedTuple):
    """Somebody who may log in."""

    login: str
    password: str


class Keeper(Protocol):
    """The module behind relays that tests may break: it puts hosts back, and vouches for them."""

    CA_CERTIFICATE: Path

    SUDOER: str
    """Who may log in to a relay beside root, and become it."""

    def reset(self, name: str) -> None:
        """Put a host into its first state."""

    def restart(self, *names: str) -> None:
        """Switch hosts off and on again."""

    def remember(self) -> None:
        """Note how all hosts are."""

    def put_back(self) -> None:
        """Put all hosts back to what was remembered."""

    def issue_certificate(self, name: str, *addresses: str, lifetime: timedelta = ...) -> Certificate:
        """Make a certificate that CA_CERTIFICATE vouches for."""


@dataclass(frozen=True)
class Relay:
    """A relay under test."""

    name: str
    settings: Settings
    remote: Remote = field(repr=False)
    addresses: dict[Family, str]
    """Its addresses as a mail program would find them."""
    began: int
    """The host's clock when the session began, in seconds since 1970."""

    @property
    def hostname(self) -> str:
        """The name by which it greets."""
        return self.settings.hostname

    @property
    def served_name(self) -> str:
        """A name by which users reach it, which its certificate bears."""
        return self.settings.served_names[0]

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Endpoint:
    """A port of a relay, at its address of one family."""

    relay: Relay
    port: int
    family: Family

    @property
    def address(self) -> str:
        """Where it is."""
        return self.relay.addresses[self.family]

    @property
    def opens_in_tls(self) -> bool:
        """Whether TLS comes before the first word (RFC 8314), and not by STARTTLS."""
        return self.port == 465

    @property
    def takes_logins(self) -> bool:
        """Whether the settings let users log in here."""
        return self.port != 25 or self.relay.settings.submission.auth_on_25

    @property
    def is_first(self) -> bool:
        """Whether it is the one to take where each port is tried once, in one family."""
        return self.family == next(iter(self.relay.addresses))

    def __str__(self) -> str:
        return f"{self.relay.name}-{self.port}-{self.family}"


@dataclass(frozen=True)
class TestBed:
    """All that an inventory offers to tests."""

    __test__ = False  # pytest takes whatever is called Test for one

    inventory: str
    relays: tuple[Relay, ...]
    others: dict[str, Remote]
    roles: frozenset[str]
    account: Account | None
    client_host: ClientHost
    sockets: Path
    expendable: str = ""
    """Module that puts the hosts back."""
    unreached: tuple[str, ...] = ()
    """Names of relays that do not answer by SSH."""

    @property
    def names(self) -> list[str]:
        """Name all relays, within reach or not."""
        return [*(relay.name for relay in self.relays), *self.unreached]

    @property
    def keeper(self) -> Keeper:
        """Give what puts the hosts back, where tests may break them."""
        return cast(Keeper, import_module(self.expendable))

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """Every port of every relay, in each family."""
        return [
            Endpoint(relay, port, family)
            for relay in self.relays
            for port in PORTS
            for family in FAMILIES
            if family in relay.addresses
        ]

    def everywhere(self, script: str) -> dict[Relay, str]:
        """Run a shell script as root on all relays at once, and return what each prints."""
        return at_once(lambda relay: relay.remote.run(script), self.relays)

    def describe(self) -> str:
        """Say in one line what there is and what lacks."""
        relays = ", ".join(f"{relay.name} ({' '.join(relay.addresses)})" for relay in self.relays)
        lacking = ", ".join(f"{role} ({what})" for role, what in ROLES.items() if role not in self.roles)
        without = f"; deselected are tests that need: {lacking}" if lacking else ""
        return f"relays of {self.inventory}: {relays or 'none'}{without}"

    def close(self) -> None:
        """End all connections."""
        for remote in [*self.others.values(), *(relay.remote for relay in self.relays)]:
            remote.close()
        shutil.rmtree(self.sockets, ignore_errors=True)


def survey(
    inventory: str, root: Path, account: Account | None, only: Collection[str] | None = None
) -> TestBed:
    """Read an inventory and reach its hosts.

    :param only: names of the relays to reach; by default all
    :raises InventoryError: if it cannot be read, or a host in it not be reached; of relays that nobody may
        break one within reach will do
    """
    entries = read(inventory, root)
    sockets = Path(tempfile.mkdtemp(prefix="qr-", dir="/tmp"))  # short: a socket's path has 108 bytes
    others = {role: Remote(entry, sockets) for role in ROLES for entry in _first(entries, role)}
    try:
        client_host: ClientHost = (
            InventoryClient(others["client"], sockets) if "client" in others else ThisMachine()
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            some = [entry for entry in entries if entry.settings and (not only or entry.name in only)]
            tried = dict(
                zip(
                    (one.name for one in some),
                    pool.map(lambda one: _tried(one, client_host, sockets), some),
                    strict=True,
                )
            )
        relays = tuple(one for one in tried.values() if isinstance(one, Relay))
        errors = {name: one for name, one in tried.items() if isinstance(one, ConnectionError)}
        if errors and (not relays or any(entry.expendable for entry in some)):
            raise next(iter(errors.values()))
        if isinstance(client_host, InventoryClient):
            client_host.forward(address for relay in relays for address in relay.addresses.values())
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        for remote in others.values():
            remote.close()
        shutil.rmtree(sockets)
        raise InventoryError(f"--inventory {inventory}: {error}") from error

    roles = set(others)
    expendable = next((entry.expendable for entry in entries if entry.settings), "")
    if expendable:
        roles.add("expendable")
    if account is None and "directory" in roles:
        account = Account(topology.USERS[0].uid, topology.USERS[0].password)
    if account is not None:
        roles.add("account")
    return TestBed(
        inventory, relays, others, frozenset(roles), account, client_host, sockets, expendable, tuple(errors)
    )


def _first(entries: list[Entry], role: str) -> list[Entry]:
    return [entry for entry in entries if role in entry.groups and not entry.settings][:1]


def _tried(entry: Entry, client_host: ClientHost, sockets: Path) -> Relay | ConnectionError:
    try:
        return _relay(entry, client_host, sockets)
    except ConnectionError as error:
        return error


def _relay(entry: Entry, client_host: ClientHost, sockets: Path) -> Relay:
    assert entry.settings is not None
    remote = Remote(entry, sockets)
    # Test hosts may have names that nobody can look up, but then no translated addresses either.
    addresses = client_host.look_up(entry.settings.hostname) or one_of_each(remote.addresses())
    families = entry.settings.relay.address_families
    served = {family: address for family, address in addresses.items() if families in ("all", family.lower())}
    return Relay(entry.name, entry.settings, remote, served, began=int(remote.run("date +%s")))
