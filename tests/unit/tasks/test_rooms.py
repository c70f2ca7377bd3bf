"""Who may import whom: no concern knows another, and only deploy.py and the lists of sections know all."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
TASKS = ROOT / "tasks"

# What all stand on, each on those before it.
GROUND = ["inventory", "host", "postfix", "part", "servers"]
CONCERNS = {folder.parent.name for folder in TASKS.glob("*/part.py")} - {"part"}
LISTS = {"settings.py", "settings_table.py"}  # of the sections of all concerns


def imports(path: Path) -> Iterator[str]:
    """Name the rooms of tasks/ that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}".split(".") for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        yield from (name[1] for name in names if name[0] == "tasks" and len(name) > 1)


def arrows(room: str) -> set[str]:
    """Name the rooms that a room imports."""
    return {to for path in (TASKS / room).rglob("*.py") for to in imports(path)} - {room}


def test_every_concern_is_in_the_deploy() -> None:
    assert set(imports(ROOT / "deploy.py")) >= CONCERNS
    assert len(CONCERNS) >= 9


def test_a_concern_stands_on_the_ground_and_knows_no_other() -> None:
    assert {concern: arrows(concern) - set(GROUND) for concern in CONCERNS} == {
        one: set() for one in CONCERNS
    }


def test_nothing_that_concerns_stand_on_knows_one() -> None:
    assert {room: arrows(room) & CONCERNS for room in GROUND} == {room: set() for room in GROUND}


def test_what_applies_the_whole_knows_no_part_by_its_name() -> None:
    assert arrows("activation") & CONCERNS == set()
    assert arrows("doctor") & CONCERNS == set()


def test_only_lists_of_sections_lie_beside_the_rooms() -> None:
    assert {path.name for path in TASKS.glob("*.py")} - {"__init__.py"} == LISTS
