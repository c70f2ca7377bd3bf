"""What we lean on of pyinfra's insides, a test for each assumption."""

import inspect
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pyinfra
import pytest
from pyinfra.api import Host, State
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import solve_operation_consistency
from pyinfra.context import ctx_host

from tasks.host.operations import secrets
from tasks.host.order import keyed

ROOT = Path(__file__).parents[4]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> tuple[State, Host, Host]:
    """Give a run with two hosts, as pyinfra's command line has it."""
    inventory = Inventory((["one", "other"], {}))  # type: ignore[no-untyped-call]
    state = State(inventory)
    monkeypatch.setattr(pyinfra, "is_cli", True)
    return state, inventory.get_host("one"), inventory.get_host("other")


def operations(state: State, host: Host, names: Iterable[str]) -> dict[str, str]:
    """Tell which operation pyinfra takes one to be that is called for each of these names."""
    with ctx_host.use(host):
        return {
            name: solve_operation_consistency({name}, state, host)[1]  # type: ignore[no-untyped-call]
            for name in keyed(names)
        }


def test_an_operation_called_for_a_name_is_one_for_all_hosts_that_have_it(
    hosts: tuple[State, Host, Host],
) -> None:
    state, one, other = hosts
    found = [operations(state, host, names) for host, names in ((one, "abd"), (other, "bcd"))]
    assert {name: found[0][name] for name in "bd"} == {name: found[1][name] for name in "bd"}
    assert found[0]["a"] != found[1]["c"]


def test_operations_called_for_different_names_are_different(hosts: tuple[State, Host, Host]) -> None:
    state, one, _ = hosts
    found = operations(state, one, ["/etc/a", "/etc/b"])
    assert len(set(found.values())) == 2


def test_names_come_in_one_order_for_all_hosts_and_a_loop_ends(hosts: tuple[State, Host, Host]) -> None:
    _, one, _ = hosts
    with ctx_host.use(one):
        assert list(keyed({"b", "a"})) == ["a", "b"]
        assert one.loop_position == []


def test_an_operation_has_what_it_does_inside() -> None:
    assert inspect.isgeneratorfunction(secrets.file._inner)


def test_a_deploy_that_is_imported_and_not_run_does_nothing() -> None:
    # pyinfra gives a file that it runs no name to tell itself by; that there is a host tells.
    done = subprocess.run(
        [sys.executable, "-c", "import deploy; print(deploy.relay.__name__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "relay\n"), done.stderr
