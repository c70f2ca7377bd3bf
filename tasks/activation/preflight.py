"""What has to be true before anything on any host is changed.

pyinfra prepares all hosts before it executes on the first, and an exception while preparing ends the run. So
everything that can be wrong with the inventory, the operator's files and the hosts is looked for here, on all
of them, and told in one list by whichever host is looked at last.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple, cast
from weakref import WeakKeyDictionary

from pyinfra import host
from pyinfra.api import State
from pyinfra.facts.deb import DebPackages

from tasks.activation import room, units
from tasks.activation.facts.room import Free, Room
from tasks.activation.facts.units import Units
from tasks.host.facts.host import UNKNOWN, HostFacts, HostSays
from tasks.inventory.errors import DeployError
from tasks.inventory.operator_files import OperatorFileError
from tasks.inventory.source import SKIPPED, inventory_file
from tasks.part import Ask, Complaints, File, Part
from tasks.servers import reach

# VERSION_ID in os-release(5), with the Postfix that the release ships.
SUPPORTED = {"12": "Postfix 3.7", "13": "Postfix 3.10"}

# Seconds that clocks may differ; in a large inventory a host's answer waits for its turn.
TOLERANCE = 3600


class PreflightError(DeployError):
    """Why the deploy cannot serve hosts: for each complaint a line with file, hosts, what, remedy."""


class Complaint(NamedTuple):
    """What is wrong with a host, and what to do."""

    words: str
    check: str = ""
    """The check that found it, by which it may be skipped; empty where nothing helps."""


UNSEEN = Complaint("cannot be looked at (above); mend that first")


def look() -> HostSays:
    """Look at the host; one that cannot be looked at is `UNKNOWN`."""
    return host.get_fact(HostFacts) or UNKNOWN  # pyinfra goes on preparing as long as other hosts are well


def fit(wanted: Part, found: HostSays) -> bool:
    """Tell whether the host can become what is wanted; if not, its operations need not be prepared.

    :raises PreflightError: at the host that is looked at last, with all that is wrong with any
    """
    as_root = found["uid"] == "0"  # others see too little of a host to complain of more
    return _well([*_of_given(wanted, found), *(of_host(wanted, found) if as_root else ())])


def comparable(wanted: Part, found: HostSays) -> bool:
    """Tell whether the host, and what the operator gives, is fit to be compared with what is wanted.

    :raises PreflightError: at the host that is looked at last, with all that is wrong with any
    """
    return _well(_of_given(wanted, found))


def served(found: HostSays) -> bool:
    """Tell whether the host is one that the program knows.

    :raises PreflightError: at the host that is looked at last, with all that is wrong with any
    """
    if found is UNKNOWN:
        return _well([UNSEEN])
    return _well(map(Complaint, complain(found)))


def _well(complaints: Iterable[Complaint]) -> bool:
    told = _told.setdefault(host.state, {})
    told[host.name] = list(dict.fromkeys(complaints))
    waiting = {one.name for one in host.state.inventory.get_active_hosts()} - told.keys()
    if any(told.values()) and not waiting:
        raise PreflightError(listed(inventory_file(), told))
    return not told[host.name]


_told: WeakKeyDictionary[State, dict[str, list[Complaint]]] = WeakKeyDictionary()
"""What is wrong with the hosts of a run that have been looked at."""


def listed(inventory: str, told: Mapping[str, Iterable[Complaint]]) -> str:
    """Write all that is wrong, a line for each complaint, with the hosts that have it."""
    hosts: dict[Complaint, list[str]] = {}
    for name in sorted(told):
        for complaint in told[name]:
            hosts.setdefault(complaint, []).append(name)
    lines = [
        f"{inventory} ({', '.join(names)}): {words}" + (f" [{check}]" if check else "")
        for (words, check), names in hosts.items()
    ]
    if len(lines) == 1:
        return lines[0]
    return "\n  ".join([f"{len(lines)} things keep the deploy from beginning; nothing was changed:", *lines])


def _of_given(wanted: Part, found: HostSays) -> Iterator[Complaint]:
    if found is UNKNOWN:
        yield UNSEEN
    else:
        yield from map(Complaint, [*complain(found), *_of_files(wanted)])


def of_host(wanted: Part, found: HostSays) -> Iterator[Complaint]:
    """Find what of the host would make a part fail, or break what it promises, but for what is skipped."""
    checks: dict[str, Complaints] = {
        "clock": lambda ask: of_clock(found["clock_ahead"]),
        "units": partial(_of_units, wanted),
        "room": partial(_of_room, wanted),
        "servers": partial(reach.complain, wanted.servers, wanted.files),
        **wanted.complaints,
    }
    skips = {name for name in (host.data.get(SKIPPED) or "").split(",") if name}
    yield from map(Complaint, unknown(skips, checks))
    for name in checks:
        if name not in skips:
            yield from (Complaint(words, name) for words in checks[name](cast(Ask, host.get_fact)))


def unknown(skips: Iterable[str], checks: Collection[str]) -> Iterator[str]:
    """Refuse to skip what there is not."""
    for name in sorted(set(skips) - set(checks)):
        yield f"{SKIPPED}: there is no check {name}; there are {', '.join(sorted(checks))}"


def complain(found: HostSays) -> Iterator[str]:
    """Say what makes a host unfit, and what to do."""
    if found["uid"] != "0":
        uid = found["uid"]
        yield f'the deploy runs there as user id {uid}, not as root; add "_sudo": True to its data'
    if found["id"] != "debian" or found["version_id"] not in SUPPORTED:
        yield (
            f"the host runs {found['id']} {found['version_id']}, which is not supported; "
            f"use Debian {' or '.join(SUPPORTED)}"
        )
    if found["init"] != "systemd":
        yield f"the host's init is {found['init']}, which is not supported; boot it with systemd"


def of_clock(ahead: int) -> Iterator[str]:
    """Say that a host's clock is wrong, if it is.

    :param ahead: seconds by which it is ahead of ours
    """
    if abs(ahead) > TOLERANCE:
        minutes, way = abs(ahead) // 60, "ahead of" if ahead > 0 else "behind"
        yield (
            f"the host's clock is {minutes} minutes {way} this machine's, so that certificates and packages "
            "are judged by a wrong time; set it there, or have systemd-timesyncd or chrony do so"
        )


def _of_files(wanted: Part) -> Iterator[str]:
    for file in wanted.files.values():
        try:
            file.content() if isinstance(file, File) else file.arguments()
        except OperatorFileError as error:
            yield str(error)


def _of_room(wanted: Part, ask: Ask) -> Iterator[str]:
    installs = not set(wanted.packages) <= ask(DebPackages).keys()
    needed = room.needed(installs, int(wanted.postfix.parameters.get("message_size_limit") or room.LARGEST))
    found: dict[str, Free] = ask(Room, directories=sorted(needed))
    yield from room.complain(needed, found)


def _of_units(wanted: Part, ask: Ask) -> Iterator[str]:
    ours = {PurePosixPath(path).name: wanted.files[path] for path in units.paths(wanted.files)}
    texts = {name: str(file.content()) for name, file in ours.items() if isinstance(file, File)}
    yield from units.complain(ask(Units, units=["postfix.service", *ours]), texts)
