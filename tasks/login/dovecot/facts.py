"""Which Dovecot a host has, and whether the package's own instance serves anybody."""

from collections.abc import Iterable

from pyinfra.api import FactBase
from typing_extensions import override


class DovecotVersion(FactBase[str]):
    """Ask for the version, its first two numbers; empty where there is no Dovecot."""

    default = str

    @override
    def command(self) -> str:
        return "dovecot --version 2>/dev/null | cut -d . -f 1,2"

    @override
    def process(self, output: Iterable[str]) -> str:
        return "".join(output).strip()


class IdleDovecot(FactBase[bool]):
    """Tell whether the package's own unit runs, or would at boot, and serves no protocol to anybody."""

    default = bool

    @override
    def command(self) -> str:
        return (
            "{ systemctl is-active -q dovecot || systemctl is-enabled -q dovecot; } 2>/dev/null"
            ' && protocols=$(doveconf -h protocols 2>/dev/null) && test -z "$protocols" && echo idle || true'
        )

    @override
    def process(self, output: Iterable[str]) -> bool:
        return "idle" in list(output)
