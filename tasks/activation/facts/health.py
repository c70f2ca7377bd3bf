"""Whether a relay answers, from what checks passwords up to the ports."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.host.templates import program


class Health(FactBase[list[str]]):
    """Run all probes side by side; what is wrong comes back, one line each."""

    default = list

    @override
    def command(self, probes: Iterable[str]) -> StringCommand:
        return StringCommand("bash -c", QuoteString(script_of(probes)))

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)


def script_of(probes: Iterable[str]) -> str:
    """Write the script that runs probes side by side, and prints what is wrong."""
    calls = (StringCommand("settled", QuoteString(probe), "&").get_raw_value() for probe in probes)
    return "\n".join([program("health.sh"), *calls, "wait", ""])


def rehearsal_of(probes: Iterable[str]) -> str:
    """Write the script that runs those of the probes that make do with a Postfix that is not live."""
    held = [QuoteString(probe) for probe in probes if probe.startswith(("serves ", "rewrites "))]
    call = StringCommand("rehearsed", '"$1"', *held).get_raw_value()
    return "\n".join([program("health.sh"), program("rehearsal.sh"), call, ""])
