"""What main.cf and master.cf are to say: a value that the parts build together, and its difference to a host.

Everything here is pure. Each part contributes a `Configuration`, `merge` makes one of them all, and `changes`
tells what ``postconf`` has to be called with where a host says something else. Parameters, options and
services that nobody here names, and none of ours ever did, belong to Debian and to the admin, and are never
touched.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple, TypedDict, TypeVar

from tasks.inventory.errors import DeployError

V = TypeVar("V")

# How parameters begin that Postfix does not have: the deploy defines them in main.cf, to refer to.
OWN = "quietrelay_"


# The columns of master.cf, as `postconf -F` names them (postconf(1)).
FIELDS = ("service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command")


class ConfigurationError(DeployError):
    """Two parts that want different things of one parameter, or a parameter that this Postfix lacks."""


class Postconf(TypedDict):
    """What ``postconf`` says on a host (postconf(1))."""

    known: list[str]
    """Names of all parameters that this Postfix has."""
    main: dict[str, str]
    """Parameter to value, where main.cf sets it."""
    defaults: dict[str, str]
    """Parameter to Postfix's own value, for those that main.cf sets."""
    filtering: list[str]
    """Files of tables for headers and bodies that hold the word FILTER."""
    entries: dict[str, str]
    """``smtp/inet`` to all of the entry in master.cf, options included."""
    services: dict[str, list[str]]
    """``smtp/inet`` to the entry's eight fields in master.cf."""
    options: dict[str, dict[str, str]]
    """``smtp/inet`` to parameter to value, where master.cf sets it with ``-o``."""


@dataclass(frozen=True)
class Service:
    """A master.cf entry (master(5)). Fields that are None are the admin's."""

    command: str
    private: str = "n"
    chroot: str = "n"
    process_limit: str | None = None
    shipped: bool = False
    """Debian's master.cf has it too, so it stays where it is no longer wanted."""

    def columns(self) -> dict[str, str | None]:
        """Tell what its columns are to hold, by their names; None is the admin's."""
        return {
            "command": self.command,
            "private": self.private,
            "chroot": self.chroot,
            "process_limit": self.process_limit,
        }

    def entry(self, key: str) -> str:
        """Write the entry for a service that the host does not have yet, `key` being ``name/type``."""
        name, kind = key.rsplit("/", 1)
        return f"{name} {kind} {self.private} - {self.chroot} - {self.process_limit or '-'} {self.command}"


@dataclass(frozen=True)
class Configuration:
    """A part of the desired Postfix configuration, or all of it. None means: must not be set."""

    parameters: Mapping[str, str | None] = field(default_factory=dict)
    services: Mapping[str, Service | None] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    where_known: frozenset[str] = frozenset()
    """Parameters to leave out where this Postfix does not have them yet."""
    likes: Mapping[str, str] = field(default_factory=dict)
    """Service to another one, which has the same options but for those that it has itself."""
    inherits: Mapping[str, str] = field(default_factory=dict)
    """Service of ours to what it inherits of the admin's, as a regular expression of parameters: any other of
    its daemon that is set in main.cf has its default for it, and no other option stays."""
    confidential: frozenset[str] = frozenset()
    """Parameters whose values are shown nowhere."""


class Change(NamedTuple):
    """One thing that main.cf or master.cf says otherwise than is wanted."""

    option: str
    """postconf(1)'s, that makes it so: ``-e``, ``-X``, ``-M``, ``-MX``, ``-F``, ``-P`` or ``-PX``."""
    key: str
    """What postconf calls it: ``smtpd_banner``, ``smtp/inet``, ``smtp/inet/chroot``."""
    found: str | None
    """What is there; None for nothing."""
    wanted: str | None
    """What is to be there; None for nothing."""

    @property
    def call(self) -> tuple[str, str]:
        """Tell by what it is one call with its neighbours: services are set one by one."""
        return self.option, self.key.rpartition("/")[0] if self.option == "-F" else (
            self.key if self.option in ("-M", "-MX") else ""
        )


def merge(*parts: Configuration) -> Configuration:
    """Make one configuration of several.

    :raises ConfigurationError: when two parts disagree.
    """
    options: dict[str, dict[str, str | None]] = {}
    for part in parts:
        for key, wanted in part.options.items():
            options[key] = _united([options.get(key, {}), wanted], f"{key} in master.cf: ")
    likes = _united([part.likes for part in parts], "likes: ")
    for key, other in likes.items():
        options[key] = {**options.get(other, {}), **options.get(key, {})}
    return Configuration(
        parameters=_united([part.parameters for part in parts], "main.cf: "),
        services=_united([part.services for part in parts], "master.cf: "),
        options=options,
        likes=likes,
        where_known=frozenset().union(*(part.where_known for part in parts)),
        inherits=_united([part.inherits for part in parts], "inherits: "),
        confidential=frozenset().union(*(part.confidential for part in parts)),
    )


def _united(mappings: Iterable[Mapping[str, V]], where: str) -> dict[str, V]:
    united: dict[str, V] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            if united.setdefault(name, value) != value:
                raise ConfigurationError(f"{where}{name} is wanted as {united[name]!r} and as {value!r}")
    return united


NOTHING = Configuration()


def changes(wanted: Configuration, found: Postconf, former: Configuration = NOTHING) -> list[Change]:
    """Tell what of a host's main.cf and master.cf is not as wanted.

    :param former: what was wanted before: what of it still stands there and is not wanted any more goes
    :returns: in the order in which postconf(1) has to be told
    :raises ConfigurationError: for a parameter that the host's Postfix does not know
    """
    wanted = _known_to(found, _isolated(_without_leftovers(wanted, found, former), found))
    return [
        *_parameter_changes(wanted, found),
        *_service_changes(wanted, found),
        *_option_changes(wanted, found),
    ]


def calls(changes: Iterable[Change]) -> list[list[str]]:
    """Tell what ``postconf`` has to be called with: argument lists for postconf(1), in order."""
    return [
        [option, *(one.key if one.wanted is None else f"{one.key} = {one.wanted}" for one in together)]
        for (option, _), together in groupby(changes, lambda change: change.call)
    ]


def _without_leftovers(wanted: Configuration, found: Postconf, former: Configuration) -> Configuration:
    """Want away what was ours and is not any more; what somebody changed since is theirs, and stays."""
    services = {
        key: None
        for key, service in former.services.items()
        if service and not service.shipped and key not in wanted.services and key in found["services"]
    }
    options: dict[str, Mapping[str, str | None]] = dict(wanted.options)
    for key in former.options.keys() - services.keys():
        if left := _left(former.options[key], found["options"].get(key, {})):
            options[key] = {**left, **wanted.options.get(key, {})}
    own = dict.fromkeys(name for name in found["main"] if name.startswith(OWN))
    return replace(
        wanted,
        parameters={**own, **_left(former.parameters, found["main"]), **wanted.parameters},
        services={**wanted.services, **services},
        options=options,
    )


def _isolated(wanted: Configuration, found: Postconf) -> Configuration:
    options, parameters = dict(wanted.options), dict(wanted.parameters)
    for key, inherited in wanted.inherits.items():
        service = wanted.services[key]
        assert service is not None
        ours = {*wanted.parameters, *options.get(key, {})}
        defaults = {
            name: value
            for name, value in found["defaults"].items()
            if name.startswith(f"{service.command}_") and name not in ours
        }
        others = dict.fromkeys(found["options"].get(key, {}))
        foreign = {n: value for n, value in {**others, **defaults}.items() if not re.fullmatch(inherited, n)}
        # An option has no blanks (postconf(1), -P): such a value stands in main.cf under a name of ours.
        named = {OWN + name: value for name, value in foreign.items() if value and re.search(r"\s", value)}
        parameters |= named
        foreign |= {name.removeprefix(OWN): f"${name}" for name in named}
        options[key] = {**foreign, **options.get(key, {})}
    return replace(wanted, options=options, parameters=parameters)


def _left(former: Mapping[str, str | None], current: Mapping[str, str]) -> dict[str, None]:
    return {name: None for name, value in former.items() if value is not None and current.get(name) == value}


def _known_to(found: Postconf, wanted: Configuration) -> Configuration:
    known = set(found["known"])
    # postconf(5) has the parameters of a transport as transport_destination_rate_delay and the like.
    transports = [f"{key.partition('/')[0]}_" for key, service in wanted.services.items() if service]

    def kept(values: Mapping[str, str | None]) -> dict[str, str | None]:
        wanted_names = {name for name, value in values.items() if value is not None}
        unknown = {name for name in wanted_names - known if not name.startswith((OWN, *transports))}
        if missing := unknown - wanted.where_known:
            raise ConfigurationError(
                f"The host's Postfix does not know {', '.join(sorted(missing))}; "
                "Debian 12 and 13 have what is needed"
            )
        return {name: value for name, value in values.items() if name not in unknown}

    return replace(
        wanted,
        parameters=kept(wanted.parameters),
        options={key: kept(values) for key, values in wanted.options.items()},
    )


def _parameter_changes(wanted: Configuration, found: Postconf) -> list[Change]:
    return [
        *_differing("-e", "", wanted.parameters, found["main"]),
        *_surplus("-X", "", wanted.parameters, found["main"]),
    ]


def _service_changes(wanted: Configuration, found: Postconf) -> list[Change]:
    changes: list[Change] = []
    for key, service in wanted.services.items():
        current = found["services"].get(key)
        if service is None:
            changes += [Change("-MX", key, current[-1], None)] if current else []
        elif current is None:
            changes.append(Change("-M", key, None, service.entry(key)))
        else:
            columns = service.columns()
            if (
                current[-1] != service.command
            ):  # another daemon's, postscreen(8) say: nothing of it is the admin's
                columns = {name: value or "-" for name, value in columns.items()}
            changes += _differing("-F", f"{key}/", columns, dict(zip(FIELDS, current, strict=True)))
    return changes


def _option_changes(wanted: Configuration, found: Postconf) -> list[Change]:
    settings: list[Change] = []
    surplus: list[Change] = []
    kept = {key: service for key, service in wanted.services.items() if service}
    for key in {**kept, **wanted.options}:
        options = _undisturbed(wanted.parameters) | dict(wanted.options.get(key, {}))
        current = found["options"].get(key, {})
        settings += _differing("-P", f"{key}/", options, current)
        surplus += _surplus("-PX", f"{key}/", options, current)
    return [*settings, *surplus]


def _undisturbed(parameters: Mapping[str, str | None]) -> dict[str, str | None]:
    """Let no ``-o`` override our main.cf parameters on our services: a promise would not hold there."""
    return dict.fromkeys(parameters)


def _differing(
    option: str, prefix: str, wanted: Mapping[str, str | None], current: Mapping[str, str]
) -> list[Change]:
    return [
        Change(option, prefix + name, current.get(name), value)
        for name, value in wanted.items()
        if value is not None and current.get(name) != value
    ]


def _surplus(
    option: str, prefix: str, wanted: Mapping[str, str | None], current: Mapping[str, str]
) -> list[Change]:
    return [
        Change(option, prefix + name, current[name], None)
        for name, value in wanted.items()
        if value is None and name in current
    ]
