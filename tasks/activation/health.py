"""The last word on a host: does what was set up answer?"""

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import StringCommand, operation

from tasks.activation.facts.health import Health
from tasks.host.operations.failing import fail


@operation()
def answers(
    password_check: str, mechanisms: Sequence[str], auth_on_25: bool
) -> Generator[StringCommand, None, None]:
    """Fail where a layer of the relay does not answer, and say which; otherwise there is nothing to do.

    + password_check: shell script that prints what is wrong with what checks passwords, a line each
    + mechanisms: SASL mechanisms that have to be offered, and no others
    + auth_on_25: whether a login has to be offered on port 25
    """
    complaints = (
        host.get_fact(Health, password_check=password_check, mechanisms=mechanisms, auth_on_25=auth_on_25)
        if host.state.is_executing
        else []
    )
    if complaints:
        yield fail(f"the relay is not up: {'; '.join(complaints)}")
    else:
        host.noop("the relay answers on 25, 465 and 587")
