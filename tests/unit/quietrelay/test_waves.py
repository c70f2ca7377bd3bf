"""Waves: which relays go together, and where a rollout ends."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import pytest
from pyinfra.api import State
from pyinfra.api.exceptions import PyinfraError

from quietrelay import waves
from quietrelay.rollout import in_waves

Sizes = list[int | None]


@pytest.mark.parametrize(
    ("text", "sizes"), [("1", [1]), ("1,5,rest", [1, 5, None]), ("rest", [None]), (" 2 , 3 ", [2, 3])]
)
def test_sizes_are_numbers_and_the_rest(text: str, sizes: Sizes) -> None:
    assert waves.sizes(text) == sizes


@pytest.mark.parametrize("text", ["", "0", "-1", "1,,2", "rest,1", "all", "1,rest,rest", "1.5", "\u00b2"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no list of sizes; write numbers"):
        waves.sizes(text)


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([1], [[0], [1], [2], [3], [4]]),
        ([1, 2], [[0], [1, 2], [3, 4]]),
        ([1, 3, None], [[0], [1, 2, 3], [4]]),
        ([None], [[0, 1, 2, 3, 4]]),
        ([7], [[0, 1, 2, 3, 4]]),
    ],
)
def test_hosts_are_cut_in_their_order(sizes: Sizes, cut: list[list[int]]) -> None:
    assert [wave for wave in waves.cut(range(5), sizes) if wave] == cut


@dataclass(frozen=True)
class Host:
    name: str


HOSTS = [Host(f"mx{number}") for number in range(1, 21)]


def rollout(sizes: Sizes, *failing: str) -> tuple[list[list[str]], str]:
    """Roll out to twenty relays, of which some fail; tell who was run together, and the complaint."""
    state = cast(State, SimpleNamespace(inventory=HOSTS, active_hosts=set(HOSTS)))
    ran: list[list[str]] = []

    def run_ops(state: State) -> None:
        active = cast("set[Host]", state.active_hosts)
        ran.append([host.name for host in HOSTS if host in active])
        active -= {host for host in active if host.name in failing}
        if not active:
            raise PyinfraError("No hosts remaining!")  # as pyinfra has it

    try:
        in_waves(run_ops, sizes)(state)
    except PyinfraError as error:
        return ran, str(error)
    return ran, ""


def test_all_waves_run_where_no_relay_fails() -> None:
    ran, complaint = rollout([1, 5, None])
    assert [len(wave) for wave in ran] == [1, 5, 14]
    assert complaint == ""


def test_a_relay_that_fails_is_the_last() -> None:
    ran, complaint = rollout([1], "mx3")
    assert ran == [["mx1"], ["mx2"], ["mx3"]]
    assert complaint == "a relay of wave 3 failed; those after it keep what they have"


def test_a_wave_goes_to_its_end_though_a_relay_of_it_fails() -> None:
    ran, complaint = rollout([1, 5, None], "mx3")
    assert [len(wave) for wave in ran] == [1, 5]
    assert complaint.startswith("a relay of wave 2 failed")
