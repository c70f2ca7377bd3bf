"""Verification as an operator runs it who gives no account, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from quietrelay.verifying import ALONE

PATIENCE = 300  # seconds


def verify(inventory: str, root: Path) -> str:
    """Verify an inventory's relays; tell what failed, in pytest's words.

    :param root: where the tests lie
    """
    words = ["tests/verify", "-q", "-p", "no:cacheprovider", "--inventory", inventory]
    verified = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=root,
        env={**os.environ, **ALONE},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return "" if verified.returncode == 0 else verified.stdout[-5000:]
