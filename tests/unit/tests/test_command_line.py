"""What `pytest tests/` takes up, and what its live tests run on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_an_inventory_leaves_unit_tests_out(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_left_out(directory: str) -> bool:
        path = ROOT / "tests" / directory
        return bool(pytestconfig.hook.pytest_ignore_collect(collection_path=path, config=pytestconfig))

    assert not is_left_out("unit")
    monkeypatch.setattr(pytestconfig.option, "inventory", "inventories/mine.py")
    assert is_left_out("unit")
    assert not is_left_out("live")


def test_live_tests_have_threads_of_their_own() -> None:
    # pyinfra's command line would make them gevent's, of which no two compute at once.
    look = "import gevent.monkey, tests.support.bed; print(gevent.monkey.is_module_patched('threading'))"
    shown = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"
