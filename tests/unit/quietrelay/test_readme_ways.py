"""The README's ways to log in: each example is one that an inventory may have, and none is missing."""

import re
from typing import get_args

import pytest

from tasks import settings
from tasks.inventory.section import Section
from tasks.login.sections import Login
from tasks.settings_table import README
from tests.unit.examples import relay_with

(TABLE,) = re.findall("<!-- ways: begin -->\n(.*)<!-- ways: end -->", README.read_text(), re.DOTALL)
EXAMPLES = dict(re.findall(r"^\| ([^|]*) \| .* \| `(\w+\(.*\))` \|$", TABLE, re.MULTILINE))


def section(example: str) -> Section:
    """Make the section that an example writes."""
    made = eval(example, vars(settings).copy())  # noqa: S307  our own README
    assert isinstance(made, Section)
    return made


@pytest.mark.parametrize("way", EXAMPLES)
def test_example_is_a_login_that_an_inventory_may_have(way: str) -> None:
    login = section(EXAMPLES[way])
    assert relay_with(login=login).login is login


def test_every_row_has_an_example_and_every_way_a_row() -> None:
    assert len(EXAMPLES) == len(TABLE.splitlines()) - 2
    assert {type(section(example)) for example in EXAMPLES.values()} == set(get_args(Login))
