"""What became of each operation is known, also where pyinfra gives up; pyinfra itself runs, on this host."""

import subprocess
from pathlib import Path

import pytest

from quietrelay import outcome
from tests.unit.quietrelay.command import run

DEPLOY = """\
from pyinfra.operations import files, server

files.directory(name="There", path={directory!r})
server.shell(name="Do", commands="true")
server.shell(name="Break", commands="echo 'no space left'; false")
server.shell(name="Go on", commands="true")
"""


def pyinfra(
    directory: Path, monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple["subprocess.CompletedProcess[str]", list[outcome.Outcome]]:
    """Run it, and read what it leaves."""
    (directory / "deploy.py").write_text(DEPLOY.format(directory=str(directory)))
    report = directory / "report"
    report.touch()
    monkeypatch.setenv(outcome.REPORT, str(report))
    done = run(["quietrelay.under_pyinfra", "@local", "deploy.py", *words], directory)
    return done, outcome.read(report)


def test_a_run_that_gives_up_tells_what_it_did_and_what_it_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, (host,) = pyinfra(tmp_path, monkeypatch, "-y")
    assert done.returncode == 1
    assert host.parts == {
        "unchanged": ["There"],
        "changed": ["Do"],
        "failed": ["Break"],
        "not done": ["Go on"],
    }
    assert "  reached @local\n  changed  1  Do\n" in done.stdout
    assert "no space left" in done.stdout


def test_a_plan_tells_what_would_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, (host,) = pyinfra(tmp_path, monkeypatch, "--dry", "--json")
    assert done.returncode == 0
    assert host.parts == {"as it should be": ["There"], "would change": ["Do", "Break", "Go on"]}


def test_a_run_that_never_began_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, told = pyinfra(tmp_path, monkeypatch, "gone.py")
    assert done.returncode == 1
    assert "No deploy file" in done.stdout
    assert told == []
