"""The command is found in the environment, and works from any directory."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from quietrelay.places import CLONE


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment of its own, which finds the packages of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return tmp_path / "env"


def test_the_command_and_pyinfra_find_the_program_from_anywhere(environment: Path, tmp_path: Path) -> None:
    def says(*words: str | Path, directory: Path = tmp_path) -> str:
        done = subprocess.run(words, cwd=directory, env={}, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    for _ in range(2):  # bootstrap is safe to run again
        says(environment / "bin" / "python", "-m", "quietrelay.install", directory=CLONE)
    assert says(environment / "bin" / "quietrelay", "--version").startswith("quietrelay ")
    where = says(
        environment / "bin" / "python", "-c", "import tasks.settings; print(tasks.settings.__file__)"
    )
    assert where == str(CLONE / "tasks" / "settings.py")
