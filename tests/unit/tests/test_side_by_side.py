"""Tests of different relays run at once, and each is told as if it had run alone."""

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
from pathlib import Path
from unittest.mock import Mock
import pytest
from tests.support import side_by_side
from tests.support.bed import Relay

RELAYS = [Relay(name, Mock(), Mock(), {}, 0) for name in ("one", "two")]

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return side_by_side.hold(pyfuncitem) or None

def pytest_generate_tests(metafunc):
    if "relay" in metafunc.fixturenames:
        metafunc.parametrize("relay", RELAYS, ids=str)

def pytest_configure(config):
    config.addinivalue_line("markers", "changes_the_relay: it does")
    config.addinivalue_line("markers", "safe: it is")

@pytest.fixture(scope="module")
def test_bed():
    return {}

@pytest.fixture
def own():
    return "own"
"""


def test_rounds_at_two_relays_meet_and_at_one_relay_they_do_not(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
import threading, pytest

meeting = threading.Barrier(2)

@pytest.mark.parametrize("number", range(3))
def test_meets(relay, test_bed, number):
    at_relay = test_bed.setdefault(relay, threading.Lock())
    assert at_relay.acquire(blocking=False)
    meeting.wait(10)
    at_relay.release()
"""
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=6)


def test_what_is_safe_meets_at_one_relay_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
import threading, pytest

meeting = threading.Barrier(4)

@pytest.mark.safe
@pytest.mark.parametrize("number", range(2))
def test_meets(relay, number):
    meeting.wait(10)
"""
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_shared_thing_that_fails_is_an_error_of_what_takes_it_alone(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
import pytest

@pytest.fixture(scope="module")
def scans():
    raise OSError

def test_takes_nothing(relay):
    pass

def test_takes_it(relay, scans):
    pass
"""
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2, errors=2)


@pytest.mark.parametrize("failing", ["assert False", "raise OSError", "pytest.fail('so')"])
def test_a_failure_is_told_of_the_round_that_failed(pytester: pytest.Pytester, failing: str) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        f"""
import pytest

def test_fails_at_two(relay):
    if str(relay) == "two":
        {failing}
"""
    )
    result = pytester.runpytest_inprocess("-rA")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*" + failing + "*", "PASSED *one*", "FAILED *two*"])


@pytest.mark.parametrize(
    ("marker", "taken"),
    [("@pytest.mark.changes_the_relay", "relay"), ("", "relay, own"), ("", "relay, tmp_path")],
)
def test_what_needs_more_than_may_be_shared_runs_alone(
    pytester: pytest.Pytester, marker: str, taken: str
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        f"""
import threading, pytest

alone = threading.Lock()

{marker}
def test_is_alone({taken}):
    assert alone.acquire(blocking=False)
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(0.05)
    alone.release()
"""
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
