"""Drift for people and for monitoring: a line a difference, and an exit status that tells unseen apart."""

from quietrelay import drifting
from quietrelay.outcome import Outcome

SAME = Outcome("mx1", looked=True, certificate_days=80)
MODE = {"what": "/etc/a", "words": "its mode is 644, not 600", "mended": True}
DROP_IN = {"what": "/etc/b.conf", "words": "sets User", "mended": False}
DIFFERENT = Outcome("mx2", differences=[MODE, DROP_IN], looked=True, certificate_days=80)
UNSEEN = Outcome("mx3", differences=[MODE])


def test_the_exit_status_tells_different_and_unseen_apart() -> None:
    assert drifting.status_of([SAME]) == 0
    assert drifting.status_of([SAME, DIFFERENT]) == 1
    assert drifting.status_of([SAME, DIFFERENT, UNSEEN]) == 2
    assert drifting.status_of([]) == 2


def test_each_difference_is_a_line_below_its_relay() -> None:
    assert [line for line, _ in drifting.lines([SAME, DIFFERENT, UNSEEN])] == [
        "mx1  as it should be; certificate: 80 days",
        "mx2  2 differences; certificate: 80 days",
        "  /etc/a: its mode is 644, not 600",
        "  /etc/b.conf: sets User (a deploy does not mend it)",
        "mx3  could not be looked at: see above",
    ]
    assert drifting.verdict([SAME]) == "All is as the inventory says."
    assert drifting.verdict([SAME, DIFFERENT]) == "1 relay differs from the inventory."
    assert drifting.verdict([SAME, UNSEEN]) == "Not all relays could be looked at: see the error above."


def test_of_a_relay_that_was_not_seen_whole_a_program_is_told_no_differences() -> None:
    assert drifting.told(UNSEEN) == {
        "host": "mx3",
        "looked": False,
        "certificate_days": None,
        "differences": [],
    }
    assert drifting.told(DIFFERENT)["differences"] == [MODE, DROP_IN]


def test_a_certificate_that_expires_soon_is_a_difference() -> None:
    def words(days: int | None, asked: int | None = None) -> list[object]:
        seen = Outcome("mx", looked=True, certificate_days=days, certificate_least=14)
        return [one["words"] for one in drifting.judged(seen, asked).differences]

    assert words(14) == []
    assert words(None) == []  # there is no relay yet, which is told otherwise
    assert words(13) == ["is valid for 13 more days"]
    assert words(-1) == ["has expired"]
    assert words(13, asked=3) == []
    assert words(15, asked=30) == ["is valid for 15 more days"]
