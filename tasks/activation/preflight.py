"""What has to be true before anything on any host is changed.

pyinfra prepares all hosts before it executes on the first, and an exception while preparing ends the run. So
everything that can be wrong with the inventory, the operator's files and the hosts is looked for here.
"""

from collections.abc import Iterator
from typing import cast

from pyinfra import host

from tasks.host.facts.host import HostFacts, HostSays
from tasks.inventory.errors import DeployError
from tasks.inventory.operator_files import OperatorFileError
from tasks.inventory.source import inventory_file
from tasks.part import Ask, File, Part

# VERSION_ID in os-release(5), with the Postfix that the release ships.
SUPPORTED = {"12": "Postfix 3.7", "13": "Postfix 3.10"}


class PreflightError(DeployError):
    """Why the deploy cannot serve a host, said in one line: file, host, what, remedy."""


def look() -> HostSays:
    """Look at the host.

    :raises PreflightError: for one that cannot be looked at
    """
    found = host.get_fact(HostFacts)
    if found is None:  # pyinfra goes on preparing as long as other hosts are well
        raise _refusal("cannot be looked at (above); mend that first")
    return found


def check(wanted: Part, found: HostSays) -> None:
    """Refuse what cannot work, and tell all of it at once.

    :raises PreflightError: for a host that is not supported, an operator's file that is missing or wrong, and
        what a part complains of
    """
    complaints = list(complain(found))
    if found["uid"] == "0":  # others see too little of the host to complain of more
        complaints += [*_of_files(wanted), *_of_parts(wanted)]
    if complaints:
        raise _refusal("; and ".join(complaints))


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


def _of_files(wanted: Part) -> Iterator[str]:
    for file in wanted.files.values():
        try:
            file.content() if isinstance(file, File) else file.arguments()
        except OperatorFileError as error:
            yield str(error)


def _of_parts(wanted: Part) -> Iterator[str]:
    for complaints in wanted.complaints:
        yield from complaints(cast(Ask, host.get_fact))


def _refusal(complaint: str) -> PreflightError:
    return PreflightError(f"{inventory_file()} ({host.name}): {complaint}")
