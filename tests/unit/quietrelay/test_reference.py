"""The reference page has each command as the command itself tells it."""

import pytest

from quietrelay import reference
from quietrelay.main import quietrelay
from quietrelay.places import COMMANDS_PAGE


def test_the_page_is_up_to_date() -> None:
    page = COMMANDS_PAGE.read_text()
    assert page == reference.updated(page), "run: python -m quietrelay.reference"


def test_every_command_is_told() -> None:
    told = "".join(reference.commands())
    assert [name for name in quietrelay.commands if f"Usage: quietrelay {name} " not in told] == []


def test_the_rest_of_the_page_stays() -> None:
    page = reference.updated(f"before\n{reference.BEGIN}\nold\n{reference.END}\nafter\n")
    assert page.startswith(f"before\n{reference.BEGIN}\n```text\nUsage: quietrelay")
    assert page.endswith(f"```\n{reference.END}\nafter\n")
    assert "old\n" not in page


def test_a_page_without_a_place_for_them_is_refused() -> None:
    with pytest.raises(reference.CommandsPageError, match="no place for the commands"):
        reference.updated("# Commands\n")
