"""The doctor tells the days that a certificate has left, and complains before they are over."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from lab.certificates import Certificate, issue
from tasks.certificates import checks
from tasks.part.check import Finding, Result, run
from tests.unit.examples import HOSTNAME

DAY = timedelta(days=1)


def found(path: Path) -> Finding:
    """Look at a file on this machine."""
    valid, *_ = checks.checks(str(path), True, 14, None)
    done = subprocess.run(["bash", "-c", valid.script], capture_output=True, text=True, check=False)
    (finding,) = run([valid], lambda check: Result(done.returncode == 0, done.stdout + done.stderr))
    return finding


@pytest.mark.parametrize(
    ("lifetime", "left", "state"),
    [(90, 15, "ok"), (90, 13, "FAIL"), (90, -1, "FAIL"), (6, 2, "ok"), (6, 1, "FAIL")],
)
def test_days_left_are_told_and_fail_where_they_are_few(
    authority: Certificate, tmp_path: Path, lifetime: int, left: int, state: str
) -> None:
    margin = timedelta(minutes=5)
    issued = issue(authority, HOSTNAME, lifetime=left * DAY + margin, age=(lifetime - left) * DAY)
    (tmp_path / "relay.pem").write_text(issued.key + issued.certificate)
    finding = found(tmp_path / "relay.pem")
    assert finding.state == state
    assert finding.words.startswith(f"{left} days left, until 20" if left >= 0 else "0 days left")


def test_what_cannot_be_read_fails(tmp_path: Path) -> None:
    assert found(tmp_path / "missing.pem").state == "FAIL"
