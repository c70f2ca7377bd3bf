"""What a host is: facts that decide whether and how the deploy goes."""

import time
from collections.abc import Iterable
from shlex import quote
from typing import TypedDict

from pyinfra.api import FactBase
from typing_extensions import override

from tasks.host.templates import program


class HostSays(TypedDict):
    """A host, as far as it decides whether and how the deploy goes."""

    uid: str
    id: str
    version_id: str
    init: str
    machine_id: str
    clock_ahead: int
    """Seconds by which its clock is ahead of ours; the answer's way, and its wait for a turn, are in it."""
    listeners: dict[str, str]
    """Programs other than Postfix that listen on 25, 465 or 587, each with its package."""
    mail_servers: list[str]
    """Installed packages that are a mail server other than Postfix."""
    unvalidated: str
    """Why what its resolver says does not count as validated by DNSSEC; empty where it does."""


class HostFacts(FactBase[HostSays]):
    """Who we are there, which system it is, and which other mail server it runs: one remote command."""

    @override
    def command(self) -> str:
        return f'{program("host.sh")}echo "unvalidated=$(bash -c {quote(program("resolver.sh"))})"\n'

    @override
    def process(self, output: Iterable[str]) -> HostSays:
        pairs = [line.partition("=")[::2] for line in output]
        single = dict(pairs)
        return {
            "uid": single["uid"],
            "id": single.get("id", "unknown"),
            "version_id": single.get("version_id", ""),
            "init": single["init"],
            "machine_id": single.get("machine_id", ""),
            "clock_ahead": round(int(single["clock"]) - time.time()),
            "listeners": dict(sorted(value.split("=", 1) for key, value in pairs if key == "listener")),
            "mail_servers": sorted({value for key, value in pairs if key == "mta"}),
            "unvalidated": single["unvalidated"],
        }


UNKNOWN: HostSays = {
    "uid": "",
    "id": "unknown",
    "version_id": "",
    "init": "",
    "machine_id": "",
    "clock_ahead": 0,
    "listeners": {},
    "mail_servers": [],
    "unvalidated": "nobody has looked at its resolver",
}
"""A host that nobody has looked at."""
