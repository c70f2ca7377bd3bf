"""A plugin of pytest's that leaves a report of all tests, host by host: ``-p quietrelay.under_pytest``."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from quietrelay import findings, outcome, seen
from quietrelay.outcome import Outcome

ALL = "all relays together"

_seen: list[tuple[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that ran, or that could not be prepared or cleared away."""
    if report.failed or (report.when == "call" and report.passed):
        crash = getattr(report.longrepr, "reprcrash", None)
        error = crash.message if crash else report.longreprtext
        _seen.append((report.nodeid, (error or "failed") if report.failed else ""))


def pytest_sessionfinish() -> None:
    """Leave the report."""
    hosts = os.environ[outcome.HOSTS].splitlines()
    told = by_host(hosts, _seen)
    for one in told:
        one.ports.update(seen.at(one.host))
    outcome.write(Path(os.environ[outcome.REPORT]), told)


def by_host(hosts: Iterable[str], seen: Iterable[tuple[str, str]]) -> list[Outcome]:
    """Give each test to the host that its name has, or to all of them; a failed one by what is behind it.

    :param seen: tests' ids, and the error of those that failed
    """
    told = {host: Outcome(host) for host in [*hosts, ALL]}
    failures: dict[str, list[tuple[str, str]]] = {}
    for test, error in seen:
        name = test.rpartition("::")[2]
        host = max((host for host in told if f"[{host}" in name or f"-{host}" in name), key=len, default=ALL)
        name = name.replace(f"{host}-", "").replace(f"[{host}]", "")
        if error:
            failures.setdefault(host, []).append((name, error))
        else:
            told[host].add("passed", name)
    for host, failed in failures.items():
        told[host].failed_checks.extend(name for name, _error in failed)
        for line in findings.told(failed):
            told[host].add("failed", line)
    return [one for one in told.values() if one.parts]
