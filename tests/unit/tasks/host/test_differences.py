"""What differs is told once, by its cause, and what an operation would do is never left out."""

from typing import Any, cast

import pyinfra
import pytest
from pyinfra.api import Host, State
from pyinfra.api.inventory import Inventory
from pyinfra.context import ctx_host, ctx_state

from tasks.host import differences
from tasks.host.differences import Difference


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Give a host of a run, as pyinfra's command line has it."""
    inventory = Inventory((["one"], {}))  # type: ignore[no-untyped-call]
    monkeypatch.setattr(pyinfra, "is_cli", True)
    host = inventory.get_host("one")
    host.init(State(inventory))
    return host


def test_it_is_told_once_and_a_consequence_not_at_all(host: Host) -> None:
    with ctx_host.use(host), ctx_state.use(host.state):
        for _ in range(2):
            differences.tell("/etc/a.conf", "its content is another")
        differences.tell("/etc/main.cf x", "is 'no', not 'yes'")
        for path in ("/etc/a.conf", "/etc/main.cf", "/etc/b.conf"):
            differences.tell("a.service", f"has not read {path}", [path])
    assert [one.line for one in differences.of(host, {})] == [
        "/etc/a.conf: its content is another",
        "/etc/main.cf x: is 'no', not 'yes'",
        "a.service: has not read /etc/b.conf",
    ]


def test_an_operation_that_says_nothing_of_what_it_would_do_is_named(host: Host) -> None:
    with ctx_host.use(host), ctx_state.use(host.state):
        host.current_op_hash = "talks"
        differences.tell("/etc/a", "is not there")
        host.current_op_hash = None
    told = differences.of(host, {"talks": "Write /etc/a", "silent": "Firewall | Open ports"})
    assert told == [
        Difference("/etc/a", "is not there"),
        Difference("Firewall | Open ports", "is still to be done"),
    ]


def test_of_another_host_nothing_is_told(host: Host) -> None:
    days = differences.Days(left=30, least=14)
    with ctx_host.use(host), ctx_state.use(host.state):
        differences.tell("/etc/a", "is not there")
        differences.seen(days)
    other = Inventory((["other"], {})).get_host("other")  # type: ignore[no-untyped-call]
    assert differences.of(other, {}) == []
    assert (differences.days_of(host), differences.days_of(other)) == ((True, days), (False, None))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, ""),
        ({"mode": 644}, "its mode is 644, not 600"),
        ({"user": "alice", "group": "users"}, "its owner is alice, not root, its group is users, not root"),
    ],
)
def test_rights_are_compared(found: dict[str, Any], words: str) -> None:
    sound = {"user": "root", "group": "root", "mode": 600}
    assert differences.rights(cast(Any, sound | found), "root", "600") == words
