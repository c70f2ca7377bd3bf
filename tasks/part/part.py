"""What a part of the relay wants on the host. Everything here is a value; nothing touches a host.

Contents are functions, called when a run applies them: whoever only wants to know which files there are needs
none of the operator's secrets.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

from pydantic import SecretStr
from pyinfra.api import FactBase
from pyinfra.api.operation import OperationMeta

from tasks.host.facts.daemons import Rights
from tasks.part.check import Account, Check
from tasks.part.server import Server
from tasks.postfix.configuration import Configuration

T = TypeVar("T")

ASIDE = ".new"
"""What follows a file's name while it lies beside its place (onhost/aside.sh)."""


class Ask(Protocol):
    """Asks the host that a run is about."""

    def __call__(self, fact: type[FactBase[T]], /, **arguments: Any) -> T:
        """Get a fact."""


Complaints: TypeAlias = Callable[[Ask], Iterable[str]]
"""Finds what would make the part fail, before any host is changed: ``setting: what is wrong; remedy``."""


@dataclass(frozen=True)
class Directory:
    """A directory, root's."""

    group: str = "root"
    mode: str = "755"


@dataclass(frozen=True)
class File:
    """A file that is wholly ours, root's, and replaced where it differs.

    A secret is never shown, and has its mode before it has content: 0600, or 0640 for a group.
    """

    content: Callable[[], str | SecretStr]
    """Text ending in a newline."""
    group: str = "root"
    mode: str = "644"
    title: str = ""
    """Imperative, for the plan; by default ``Write PATH``."""

    def __post_init__(self) -> None:
        """Read the operator's files once."""
        object.__setattr__(self, "content", cache(self.content))


@dataclass(frozen=True)
class Made:
    """A file, root's, that an operation of the part's makes on the host, and makes anew when that is due."""

    operation: Callable[..., OperationMeta] | None = None
    """pyinfra operation; None where another file's makes this one too."""
    arguments: Callable[[], Mapping[str, object]] = dict
    group: str = "root"
    mode: str = "600"
    title: str = ""
    """Imperative, for the plan; by default ``Make PATH``."""
    aside: bool = False
    """The operation writes it beside its place, `ASIDE`, and it is switched to with all others."""

    def __post_init__(self) -> None:
        """Read the operator's files once."""
        object.__setattr__(self, "arguments", cache(self.arguments))


@dataclass(frozen=True)
class Daemon:
    """A daemon that runs with what is on disk; the unit's file is one of the part's."""

    unit: str
    """Its systemd unit, without ``.service``."""
    unit_file: str
    pid_file: str
    reads: tuple[str, ...] = ()
    """Files that it reads at its start, beside its unit's."""
    makes: tuple[Rights, ...] = ()
    """Directories and sockets that are there while it runs, and its user's."""


@dataclass(frozen=True)
class Timer:
    """A timer that waits for its time; its files are among the part's."""

    unit: str
    """Its systemd unit, without ``.timer``."""
    title: str


@dataclass(frozen=True)
class Watch:
    """A path unit that waits for files to change (systemd.path(5)); its files are among the part's."""

    unit: str
    """Its systemd unit, without ``.path``."""
    title: str


@dataclass(frozen=True)
class Part:
    """A part of the desired host, or all of it."""

    packages: tuple[str, ...] = ()
    """Debian packages."""
    packages_gone: tuple[str, ...] = ()
    """Debian packages that must make room."""
    answers: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    """Package to question to type and answer, for its installation (debconf-set-selections(1))."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """User to groups that it has to be in."""
    directories: Mapping[str, Directory] = field(default_factory=dict)
    files: Mapping[str, File | Made] = field(default_factory=dict)
    """Absolute path to what is to be there."""
    stays: tuple[str, ...] = ()
    """Paths of files that may be made here, and are kept until the whole relay goes."""
    actions: tuple[Callable[[], object], ...] = ()
    """Functions that call operations, for what no file says: they look at the host and do what lacks."""
    daemons: tuple[Daemon, ...] = ()
    """Those that Postfix needs, in the order of their start."""
    timers: tuple[Timer, ...] = ()
    watches: tuple[Watch, ...] = ()
    postfix: Configuration = field(default_factory=Configuration)
    """Parameters, services and options in main.cf and master.cf."""
    rereads: tuple[str, ...] = ()
    """Files that Postfix's daemons read at their start."""
    ports: tuple[int, ...] = ()
    """TCP ports on which Postfix listens."""
    mechanisms: tuple[str, ...] = ()
    """SASL mechanisms that are offered under TLS, and no others."""
    servers: tuple[Server, ...] = ()
    """Servers of somebody else's that users' logins or mail need."""
    complaints: Mapping[str, Complaints] = field(default_factory=dict)
    """Name of a preflight check, which an operator may skip, to what it finds."""
    probes: tuple[str, ...] = ()
    """Commands for bash(1) that print what does not answer, at the end of a run (onhost/health.sh)."""
    notes: tuple[str, ...] = ()
    """What was found on the host that decides something, and what follows from it; a plan tells it."""
    checks: tuple[Callable[[Account | None], Iterable[Check]], ...] = ()
    """What the doctor looks at, for an account if one was named."""
