"""The README is short, and what it shows is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_is_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 150


def test_message_is_an_excerpt_of_the_one_that_is_explained() -> None:
    explained = iter((ROOT / "docs" / "explanation" / "privacy.md").read_text(encoding="utf-8").splitlines())
    (excerpt,) = re.findall(r"^```diff\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    missing = [line for line in excerpt.splitlines() if line not in explained]  # in the order of the message
    assert not missing
