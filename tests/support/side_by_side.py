"""Relays are talked to side by side: a test that runs at many of them runs at all when its turn comes.

Conversations are mostly waiting, for the network and for the relay, so many relays take little longer than
one. At each relay one conversation goes on at a time, and no other test runs beside; what each round of it
came to is told in its own turn.
"""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from inspect import signature

import pytest

from tests.support.bed import AT_ONCE, Endpoint, Relay

# What rounds of a test may share while they run at once. A test that takes anything else runs by itself.
SHARED = frozenset({"account", "client", "test_bed", "mail_program", "outside", "scans", "days_left"})

OUTCOMES = pytest.StashKey["Outcomes"]()
Outcomes = dict[pytest.Function, BaseException | None]


def hold(test: pytest.Function) -> bool:
    """Hold a round of a test, with all others of that test if it is the first one, and tell what came of it.

    :returns: whether it can be held so
    :raises Exception: whatever the round raised
    """
    if _relay_of(test) is None:
        return False
    outcomes = test.session.stash.setdefault(OUTCOMES, {})
    if test not in outcomes:
        outcomes.update(_hold_all(test))
    if failure := outcomes.pop(test):
        raise failure
    return True


def _hold_all(first: pytest.Function) -> Outcomes:
    by_relay = defaultdict(list)
    for test in first.session.items:
        if (
            isinstance(test, pytest.Function)
            and test.function is first.function
            and (relay := _relay_of(test))
        ):
            by_relay[relay].append(test)

    def hold_one_after_another(tests: list[pytest.Function]) -> Outcomes:
        return {test: _outcome(test, first.funcargs) for test in tests}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {
            test: one
            for some in pool.map(hold_one_after_another, by_relay.values())
            for test, one in some.items()
        }


def _outcome(test: pytest.Function, shared: Mapping[str, object]) -> BaseException | None:
    given = _parameters(test)
    try:
        test.obj(**{name: given.get(name, shared.get(name)) for name in _names(test)})
    except (Exception, pytest.fail.Exception) as failure:
        return failure
    return None


def _relay_of(test: pytest.Function) -> Relay | None:
    """Tell at which relay a round of a test runs, if it can run beside those at others."""
    given = _parameters(test)
    if test.get_closest_marker("changes_the_relay") or not _names(test) <= SHARED | set(given):
        return None
    for value in given.values():
        if isinstance(value, Endpoint | Relay):
            return value.relay if isinstance(value, Endpoint) else value
    return None


def _names(test: pytest.Function) -> set[str]:
    return set(signature(test.obj).parameters)


def _parameters(test: pytest.Function) -> Mapping[str, object]:
    return test.callspec.params if hasattr(test, "callspec") else {}
