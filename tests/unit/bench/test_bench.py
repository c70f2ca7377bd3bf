"""What the benchmark tells: tables and picture of its numbers."""

from typing import Any
from xml.etree import ElementTree

from bench import ansible_play, fleet, report
from bench.converged import ANSIBLE, DEPLOY, FLOOR, changes_nothing
from bench.picture import draw
from tests.unit.examples import HOSTNAME


def row(who: str, hosts: int, seconds: float, round_trip: float = 0.0) -> dict[str, Any]:
    return {
        "who": who,
        "hosts": hosts,
        "round_trip": round_trip,
        "seconds": seconds,
        "cpu": hosts * 0.1,
        "runs": 5,
    }


def test_ratios_are_of_the_same_hosts_at_the_same_distance() -> None:
    rows = [row(FLOOR, 1, 0.5), row(DEPLOY, 1, 1.0), row(ANSIBLE, 1, 20.0)]
    rows += [row(FLOOR, 1, 2.0, 0.1), row(DEPLOY, 1, 2.5, 0.1)]
    *_, near, far = report.converged(rows).splitlines()
    assert near == "| 1 | 0 ms | 0.5 s | **1.0 s** | 2.0 x | 20.0 s (5) | 20 x | 100 ms |"
    assert far == "| 1 | 100 ms | 2.0 s | **2.5 s** | 1.2 x |  |  | 100 ms |"


def test_a_part_costs_what_the_relay_is_faster_without_it() -> None:
    rates = {"everything on": 90.0, "without rewriting": 100.0}
    assert "| without rewriting | 100 | 0.90 |" in report.throughput(rates)


def test_picture_is_whole_and_rises_with_the_seconds() -> None:
    picture = ElementTree.fromstring(draw("Title", {"a": [(1, 1.0), (10, 2.0)], "b": [(1, 5.0), (10, 90.0)]}))  # noqa: S314
    circles = [float(one.attrib["cy"]) for one in picture if one.tag.endswith("circle")]
    assert circles == sorted(circles, reverse=True)
    assert {one.text for one in picture if one.tag.endswith("text")} >= {
        "Title",
        "a",
        "b",
        "1",
        "10",
        "hosts",
    }


def test_a_run_counts_only_where_it_looked_and_changed_nothing() -> None:
    def printed(**totals: int) -> str:
        counts = {"success": 0, "error": 0, "no_change": 24} | totals
        return f'{{"results": {{"totals": {str(counts).replace(chr(39), chr(34))}}}}}'

    assert changes_nothing(printed())
    assert not changes_nothing(printed(success=1))
    assert not changes_nothing(printed(error=1))
    assert not changes_nothing(printed(no_change=0))


def test_hosts_are_chosen_by_number_or_name() -> None:
    assert [host.name for host in fleet.chosen("2")] == ["relay100.relay.test", "relay101.relay.test"]
    assert fleet.chosen("bare2") == [fleet.bare(2)]


def test_a_play_counts_only_where_it_changed_nothing() -> None:
    recap = "PLAY RECAP ***\nrelay100 : ok=18 changed={} unreachable={} failed={} skipped=2\n"
    assert ansible_play.changes(recap.format(0, 0, 0)) == 0
    assert ansible_play.changes("changed=7\n" + recap.format(1, 0, 2)) == 3


def test_a_template_names_neither_host_nor_mark_of_its_model() -> None:
    escaped = HOSTNAME.replace(".", r"\.")
    text = ansible_play._template(f"by {HOSTNAME} {escaped} (mark-12) {{x}}", HOSTNAME, "mark-12")
    assert HOSTNAME not in text
    assert "mark-12" not in text
    assert "{% raw %}) {x}{% endraw %}" in text
