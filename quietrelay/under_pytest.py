"""A plugin of pytest's that leaves a report of all tests, host by host: ``-p quietrelay.under_pytest``."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from quietrelay import outcome
from quietrelay.outcome import Outcome

HOSTS = "QUIETRELAY_HOSTS"
"""Environment variable with the names of the relays, one a line."""
ALL = "all relays together"

_seen: list[tuple[str, bool]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that ran, or that could not be prepared or cleared away."""
    if report.failed or (report.when == "call" and report.passed):
        _seen.append((report.nodeid, report.passed))


def pytest_sessionfinish() -> None:
    """Leave the report."""
    hosts = os.environ[HOSTS].splitlines()
    outcome.write(Path(os.environ[outcome.REPORT]), by_host(hosts, _seen))


def by_host(hosts: Iterable[str], seen: Iterable[tuple[str, bool]]) -> list[Outcome]:
    """Give each test to the host that its name has, or to all of them.

    :param seen: tests' ids, and whether they passed
    """
    told = {host: Outcome(host) for host in [*hosts, ALL]}
    for test, passed in seen:
        name = test.rpartition("::")[2]
        host = max((host for host in told if f"[{host}" in name or f"-{host}" in name), key=len, default=ALL)
        told[host].add(
            "passed" if passed else "failed", name.replace(f"{host}-", "").replace(f"[{host}]", "")
        )
    return [one for one in told.values() if one.parts]
