"""Runs the command as a person does: a process of its own, in a directory that is not the clone."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from quietrelay.places import CLONE

UNREACHABLE = """\
from tasks.settings import SaslauthdLdap

relays = (
    ["mx1.relay.test", "mx2.relay.test"],
    {
        "ssh_hostname": "127.0.0.1",
        "ssh_port": 9,
        "login": SaslauthdLdap(servers=["ldaps://ldap.example.org"], search_base="dc=example,dc=org"),
    },
)
"""
"""An inventory in order, of hosts at a port where nobody listens."""


def run(words: Sequence[str], directory: Path) -> "subprocess.CompletedProcess[str]":
    """Run a module of Python there, without a terminal, and hear all in one."""
    return subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(CLONE), "COLUMNS": "80", "LINES": "24"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def quietrelay(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command there."""
    return run(["quietrelay", *words], directory)
