"""Each test that ran is told of the relay that it looked at; pytest itself runs."""

from pathlib import Path

import pytest

from quietrelay import outcome
from quietrelay.outcome import HOSTS, Outcome
from quietrelay.under_pytest import ALL, by_host
from tests.unit.quietrelay.command import run

TESTS = """\
import pytest

@pytest.mark.parametrize("endpoint", ["mx1.relay.test-465", "mx2.relay.test-465"])
def test_port(endpoint):
    assert endpoint.startswith("mx1")

@pytest.fixture
def broken():
    raise OSError

def test_all(broken): pass
"""


def test_a_failure_is_told_of_its_relay_and_one_of_the_preparation_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "report").touch()
    monkeypatch.setenv(outcome.REPORT, str(tmp_path / "report"))
    monkeypatch.setenv(HOSTS, "mx1.relay.test\nmx2.relay.test")
    done = run(["pytest", "-p", "quietrelay.under_pytest", "-q", "test_it.py"], tmp_path)
    assert done.returncode == 1, done.stdout
    assert outcome.read(tmp_path / "report") == [
        Outcome("mx1.relay.test", {"passed": ["test_port[465]"]}),
        Outcome("mx2.relay.test", {"failed": ["test_port[465]: assert False"]}, ["test_port[465]"]),
        Outcome(ALL, {"failed": ["test_all: OSError"]}, ["test_all"]),
    ]


def test_a_relay_whose_name_begins_anothers_is_not_taken_for_it() -> None:
    told = by_host(["mx", "mx.example"], [("t.py::test_a[mx.example-25]", ""), ("t.py::test_a[mx-25]", "")])
    assert [one.host for one in told] == ["mx", "mx.example"]
