"""The last word on a host: does what was set up answer?"""

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import StringCommand, operation

from tasks.activation.facts.health import Health
from tasks.host.operations.failing import fail


@operation()
def answers(probes: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Fail where the relay does not answer, and say what; otherwise there is nothing to do.

    + probes: commands for bash(1) that print what does not answer (onhost/health.sh)
    """
    complaints = host.get_fact(Health, probes=probes) if host.state.is_executing else []
    if complaints:
        yield fail(f"the relay is not up: {'; '.join(complaints)}")
    else:
        host.noop("the relay answers")
