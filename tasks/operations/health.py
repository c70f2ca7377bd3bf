"""The last word on a host: does what was set up answer?"""

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import OperationError, StringCommand, operation

from tasks.facts.health import Health


@operation()
def answers(auth_on_25: bool) -> Generator[StringCommand, None, None]:
    """Fail where a layer of the relay does not answer, and say which. It changes nothing, so yields nothing.

    + auth_on_25: whether a login has to be offered on port 25
    """
    if host.state.is_executing and (complaints := host.get_fact(Health, auth_on_25=auth_on_25)):
        raise OperationError(f"{host.name}: the relay is not up: {'; '.join(complaints)}")
    host.noop("the relay answers on 25, 465 and 587")
    yield from ()
