"""A host that cannot be served is refused, with a remedy, before anything is changed."""

from typing import Any, cast

import pytest

from tasks.activation.preflight import SUPPORTED, Complaint, complain, listed, of_clock, unknown
from tasks.host.facts.host import HostSays


def host(**differences: Any) -> HostSays:
    """Make a fit host, but for these differences."""
    fit = {"uid": "0", "id": "debian", "version_id": "12", "init": "systemd", "machine_id": "0123abcd"}
    return cast(
        HostSays,
        fit | {"listeners": {}, "mail_servers": [], "clock_ahead": 0, "unvalidated": ""} | differences,
    )


@pytest.mark.parametrize("version", SUPPORTED)
def test_supported_debian_is_served(version: str) -> None:
    assert list(complain(host(version_id=version))) == []


@pytest.mark.parametrize(
    ("differences", "complaint"),
    [
        ({"uid": "1000"}, 'as user id 1000, not as root; add "_sudo": True to its data'),
        ({"version_id": "11"}, "runs debian 11, which is not supported; use Debian 12 or 13"),
        ({"version_id": ""}, "runs debian , which is not supported; use Debian 12 or 13"),
        ({"id": "ubuntu"}, "runs ubuntu 12, which is not supported; use Debian 12 or 13"),
        ({"init": "init"}, "the host's init is init, which is not supported; boot it with systemd"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_unfit_host_is_refused_with_a_remedy(differences: dict[str, Any], complaint: str) -> None:
    (said,) = complain(host(**differences))
    assert said.endswith(complaint)


def test_all_that_is_wrong_is_told_in_one_list() -> None:
    masked = Complaint("postfix.service is masked; unmask it", "units")
    told = {"b": [masked], "c": [], "a": [masked, Complaint("no root; add _sudo")]}
    assert listed("prod.py", told).splitlines() == [
        "2 things keep the deploy from beginning; nothing was changed:",
        "  prod.py (a, b): postfix.service is masked; unmask it [units]",
        "  prod.py (a): no root; add _sudo",
    ]


def test_one_thing_is_told_in_one_line() -> None:
    assert listed("prod.py", {"a": [Complaint("no root; add _sudo")]}) == "prod.py (a): no root; add _sudo"


def test_checks_that_there_are_not_cannot_be_skipped() -> None:
    assert list(unknown(["units", "unit"], ["units", "firewall"])) == [
        "skip_checks: there is no check unit; there are firewall, units"
    ]


@pytest.mark.parametrize(
    ("ahead", "words"), [(7300, "121 minutes ahead of this machine's"), (-86400, "1440 minutes behind this")]
)
def test_clock_that_is_wrong_is_told(ahead: int, words: str) -> None:
    (said,) = of_clock(ahead)
    assert words in said


def test_clock_that_seems_late_for_an_answer_that_waited_is_taken_for_right() -> None:
    assert list(of_clock(-600)) == []
