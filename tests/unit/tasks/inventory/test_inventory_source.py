"""An error message says where in the inventory to look."""

import sys
from pathlib import Path

import pytest

from tasks.inventory.source import inventory_file, locate

INVENTORY = """\
shared = {"login": 1}
relays = (
    [
        ("mx1.example.org", {
            "relay": 1,
        }),
        ("mx2.example.org", {"relay": 2}),
    ],
    {"login": 2},
)
print(shared)
"""


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "inventories").mkdir()
    (tmp_path / "inventories/prod.py").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)
    return str(tmp_path / "inventories/prod.py")


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        (1, " (group shared)"),
        (5, " (mx1.example.org)"),
        (7, " (mx2.example.org)"),
        (9, " (group relays)"),
        (11, ""),
    ],
)
def test_line_is_told_with_the_host_or_group_around_it(inventory: str, line: int, owner: str) -> None:
    assert locate(inventory, line) == f"inventories/prod.py line {line}{owner}"


def test_what_cannot_be_read_is_still_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("relays = (")
    assert locate("broken.py", 1) == "broken.py line 1"
    assert locate("<string>", 1) == "<string> line 1"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["pyinfra", "-y", "inventories/prod.py", "deploy.py"], "inventories/prod.py"),
        (["pytest", "tests/", "--inventory", "inventories/lab.py"], "inventories/lab.py"),
        (["pyinfra", "@vagrant", "deploy.py"], "@vagrant"),
        (["pyinfra", "mx1.example.org", "tasks.sasl.configure"], "the inventory"),
    ],
)
def test_inventory_is_named_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, words: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", words)
    assert inventory_file() == name
