"""Relays are talked to side by side: a module's first test that can be held so has all of them run at once.

Conversations are mostly waiting, for the network and for the relay, so many relays take little longer than
one. At each relay one conversation goes on at a time, or a few where none of them changes anything, and no
other test runs beside; what each came to is told in its own turn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from inspect import signature
from itertools import chain

import pytest

from tests.support.bed import AT_ONCE, Endpoint, Relay

AT_EACH = 4  # conversations with one relay, of tests that are safe beside its users'
# What tests may share while they run at once. A test that takes anything else runs by itself.
SHARED = frozenset({"account", "client", "test_bed", "mail_program", "outside", "scans", "days_left"})

OUTCOMES = pytest.StashKey["Outcomes"]()
Outcomes = dict[pytest.Function, BaseException | None]


def hold(test: pytest.Function) -> bool:
    """Hold a test, with all others of its module if it is the first one, and tell what came of it.

    :returns: whether it can be held so
    :raises Exception: whatever the test raised
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
    together = [
        test
        for test in first.session.items
        if isinstance(test, pytest.Function) and test.module is first.module and _relay_of(test)
    ]
    together = together[together.index(first) :]
    shared = _shared(first, {name for test in together for name in _names(test) - set(_parameters(test))})
    ready = [test for test in together if _names(test) <= shared.keys() | _parameters(test).keys()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lanes = pool.map(lambda tests: [(test, _outcome(test, shared)) for test in tests], _lanes(ready))
        return dict(chain.from_iterable(lanes))


def _lanes(tests: Iterable[pytest.Function]) -> Iterator[list[pytest.Function]]:
    """Give those that are held one after another; a relay has as many as may go on there at a time."""
    by_relay = defaultdict(list)
    for test in tests:
        by_relay[_relay_of(test), test.get_closest_marker("safe") is not None].append(test)
    for lane in range(AT_EACH):
        for (_, is_safe), some in by_relay.items():
            yield some[lane::AT_EACH] if is_safe else some if lane == 0 else []


def _shared(first: pytest.Function, names: Iterable[str]) -> dict[str, object]:
    """Give the fixtures that the tests share; one that fails does so again when its test's turn comes."""
    found: dict[str, object] = {}
    for name in sorted(names):
        with suppress(Exception):
            found[name] = first._request.getfixturevalue(name)
    return found


def _outcome(test: pytest.Function, shared: Mapping[str, object]) -> BaseException | None:
    given = {**shared, **_parameters(test)}
    try:
        test.obj(**{name: given[name] for name in _names(test)})
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
