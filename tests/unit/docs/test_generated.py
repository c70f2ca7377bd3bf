"""The generated pages are fresh, and what they say of tests is so."""

import re
from pathlib import Path

import pytest

from docs import generated
from docs.promises import promises

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("name", generated.PAGES)
def test_reference_is_up_to_date(name: str) -> None:
    page = (generated.REFERENCE / name).read_text(encoding="utf-8")
    assert page == generated.updated(page, generated.PAGES[name]()), "run: python -m docs"


def test_every_promise_is_proved_by_tests_that_there_are() -> None:
    hosts_are_real = [file for file in TESTS.rglob("test_*.py") if not file.is_relative_to(TESTS / "unit")]
    there = {
        name for file in hosts_are_real for name in re.findall(r"^def test_(\w+)", file.read_text(), re.M)
    }
    unproved = {
        promise.title: [name for name in promise.tests if name not in there] or "no test"
        for some in promises().values()
        for promise in some
        if not promise.tests or not there.issuperset(promise.tests)
    }
    assert not unproved, "correct the names in docs/promises.toml, and run: python -m docs"


def test_rest_of_a_page_stays() -> None:
    page = f"# Before\n{generated.BEGIN}\nold\n{generated.END}\nAfter\n"
    updated = generated.updated(page, "| new |\n")
    assert updated == f"# Before\n{generated.BEGIN}\n\n| new |\n\n{generated.END}\nAfter\n"


def test_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(generated.PageError, match="no place for what is generated"):
        generated.updated("# Settings\n", "")
