"""A summary fits a screen, whatever happened, and leaves no failure out before all else is."""

from quietrelay import summary
from quietrelay.outcome import Outcome

MANY = [f"Step | Write file {number}" for number in range(40)]


def texts(outcomes: list[Outcome], width: int = 80, height: int = 24) -> list[str]:
    """Write a summary."""
    return [line.text for line in summary.lines(outcomes, width, height)]


def test_hosts_with_the_same_outcome_stand_together_and_the_worst_first() -> None:
    told = texts(
        [
            Outcome("mx1", {"unchanged": ["a", "b"]}),
            Outcome("mx2", {"changed": ["a"], "failed": ["b"], "not done": ["c"]}),
            Outcome("mx3", {"unchanged": ["a", "b"]}),
            Outcome("mx4", {"not reached": [""]}),
        ]
    )
    assert told == [
        *("mx4", "  not reached"),
        *("mx2", "  failed  1", "    b", "  not done  1", "  changed  1", "    a"),
        *("mx1, mx3", "  unchanged  2"),
    ]


def test_a_host_on_which_nothing_was_begun_is_told_as_that() -> None:
    assert texts([Outcome("mx1")]) == ["mx1", "  reached, and no more"]


def test_a_first_deploy_fits_a_small_screen() -> None:
    told = texts([Outcome("mx1", {"changed": MANY, "unchanged": ["x"]})])
    assert len(told) == 24 - summary.FRAME
    assert told[-2:] == [f"    and {40 - 14} more", "  unchanged  1"]


def test_many_hosts_that_all_differ_fit_a_small_screen() -> None:
    outcomes = [Outcome(f"mx{number}", {"changed": MANY[:number]}) for number in range(1, 30)]
    told = texts([*outcomes, Outcome("mx0", {"failed": MANY})])
    assert len(told) == 24 - summary.FRAME
    assert told[:2] == ["mx0", "  failed  40"]
    assert told[-1] == "..."


def test_no_line_is_longer_than_the_screen_is_wide() -> None:
    told = texts([Outcome("mx1." + "x" * 90, {"failed": ["y" * 90]})], width=40)
    assert max(map(len, told)) <= 40
    assert "".join(line.strip() for line in told) == "mx1." + "x" * 90 + "failed  1" + "y" * 90
    low = texts([Outcome("mx1." + "x" * 90, {"failed": ["y" * 90]})], width=40, height=9)
    assert [len(line) for line in low] == [40, len("  failed  1"), 40]


def test_a_plan_is_told_as_what_would_be() -> None:
    same, other = Outcome("mx1", {"as it should be": ["a"]}), Outcome("mx2", {"would change": ["a"]})
    assert summary.of_plan([same], 0) == "Nothing would change."
    assert (
        summary.of_plan([same, other], 0)
        == "1 relay would change, and what depends on that; nothing was changed yet."
    )
    assert "not whole" in summary.of_plan([same, other], 1)


def test_a_deploy_is_told_by_what_it_did() -> None:
    same, changed, failed = (Outcome("mx1", {what: ["a"]}) for what in ("unchanged", "changed", "failed"))
    assert summary.of_deploy([same], 0) == "Done: nothing had to be changed."
    assert summary.of_deploy([same, changed, changed], 0) == "Done: 2 relays changed."
    assert summary.of_deploy([failed], 1).startswith("The deploy failed")
    assert summary.of_deploy([changed], 1).startswith("The deploy failed")
    assert summary.of_deploy([Outcome("mx1")], 1).endswith("Nothing was changed.")


def test_a_verification_that_looked_at_nothing_is_not_told_as_one_that_found_nothing() -> None:
    assert summary.of_verification([Outcome("mx1", {"passed": ["a"]})], 0).startswith("Verified")
    assert summary.of_verification([Outcome("mx1", {"failed": ["a"]})], 1).startswith("Not all")
    assert summary.of_verification([], 5).startswith("Nothing was verified")
