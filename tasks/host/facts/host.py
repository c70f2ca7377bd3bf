"""What a host is: facts that decide whether and how the deploy goes."""

from collections.abc import Iterable
from typing import TypedDict

from pyinfra.api import FactBase
from typing_extensions import override


class HostSays(TypedDict):
    """A host, as far as it decides whether and how the deploy goes."""

    uid: str
    id: str
    version_id: str
    init: str
    machine_id: str
    listeners: dict[str, str]
    """Programs other than Postfix that listen on 25, 465 or 587, each with its package."""
    mail_servers: list[str]
    """Installed packages that are a mail server other than Postfix."""


class HostFacts(FactBase[HostSays]):
    """Who we are there, which system it is, and which other mail server it runs: one remote command."""

    @override
    def command(self) -> str:
        return "; ".join(
            [
                'echo "uid=$(id -u)"',
                '( . /etc/os-release; echo "id=$ID"; echo "version_id=$VERSION_ID" )',
                'read -r init </proc/1/comm; echo "init=$init"',
                'read -r machine_id </etc/machine-id; echo "machine_id=$machine_id"',
                # users:(("exim4",pid=1,fd=3)) names the program; only root sees it (ss(8)). Postfix's smtpd
                # has its socket from master, which is named beside it.
                "ss -Hltnp '( sport = :25 or sport = :465 or sport = :587 )'"
                ' | sed -n \'/"master"/d; s/.*users:(("\\([^"]*\\)",pid=\\([0-9]*\\).*/\\1 \\2/p\''
                " | while read -r name pid; do program=$(readlink /proc/$pid/exe)"
                '; echo "listener=$name=$(dpkg -S "$program" 2>/dev/null | cut -d: -f1)"; done',
                # ${Provides} tells a mail server by what Debian's policy 11.6 has it provide.
                "dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\\n'"
                " | sed -n '/^installed postfix /d"
                "; s/^installed \\([^ ]*\\) .*mail-transport-agent.*/mta=\\1/p'",
            ]
        )

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
            "listeners": dict(sorted(value.split("=", 1) for key, value in pairs if key == "listener")),
            "mail_servers": sorted({value for key, value in pairs if key == "mta"}),
        }


UNKNOWN: HostSays = {
    "uid": "",
    "id": "unknown",
    "version_id": "",
    "init": "",
    "machine_id": "",
    "listeners": {},
    "mail_servers": [],
}
"""A host that nobody has looked at."""
