"""What becomes of an operation that cannot learn what it needs."""

from collections.abc import Generator
from typing import Any

import pytest
from pyinfra import host
from pyinfra.api import Host, State, StringCommand, operation
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.connectors.local import LocalConnector
from pyinfra.connectors.util import CommandOutput
from pyinfra.facts.server import Hostname

import prefetch
from tests.unit.prefetch.machine import this_machine


class Failures(BaseStateCallback):
    """Those of which callbacks hear."""

    seen: list[str]

    def operation_host_error(  # type: ignore[override]
        self, state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        self.seen.append(host.name)


@operation()
def learn() -> Generator[StringCommand, None, None]:
    yield StringCommand(f"test -n {host.get_fact(Hostname).strip()}")


@pytest.mark.parametrize("error", [ConnectionError("gone"), TimeoutError(), None])
def test_where_a_fact_cannot_be_loaded_the_operation_fails_and_who_waits_for_that_hears(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    state = this_machine(check_for_changes=False)
    failures = Failures()
    failures.seen = []
    state.add_callback_handler(failures)  # type: ignore[no-untyped-call]
    connect_all(state)
    state.set_stage(StateStage.Prepare)
    prefetch.facts(next(iter(state.inventory)))
    add_op(state, learn)

    def lost(*_: Any, **__: Any) -> Any:
        if error:
            raise error
        return False, CommandOutput([])

    monkeypatch.setattr(LocalConnector, "run_shell_command", lost)
    state.set_stage(StateStage.Execute)
    with pytest.raises(PyinfraError, match="No hosts remaining"):
        run_ops(state)
    assert failures.seen == [host.name for host in state.inventory]
