"""The documented login backends: each example is one that an inventory may have, and none is missing."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tasks import settings
from tasks.inventory.section import Section
from tasks.login.sections import Login
from tests.unit.examples import relay_with

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "choose-how-users-log-in.md"
(TABLE,) = re.findall("<!-- backends: begin -->\n(.*)<!-- backends: end -->", PAGE.read_text(), re.DOTALL)
EXAMPLES = dict(re.findall(r"^\| ([^|]*) \| .* \| `(\w+\(.*\))` \|$", TABLE, re.MULTILINE))


def section(example: str) -> Section:
    """Make the section that an example writes."""
    made = eval(example, vars(settings).copy())  # noqa: S307  our own page
    assert isinstance(made, Section)
    return made


@pytest.mark.parametrize("backend", EXAMPLES)
def test_example_is_a_login_that_an_inventory_may_have(backend: str) -> None:
    login = section(EXAMPLES[backend])
    assert relay_with(login=login).login is login


def test_every_row_has_an_example_and_every_backend_a_row() -> None:
    assert len(EXAMPLES) == len(TABLE.strip().splitlines()) - 2
    assert {type(section(example)) for example in EXAMPLES.values()} == set(get_args(Login))
