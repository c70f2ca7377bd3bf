"""Watches a lab's host for secrets in anybody's reach, while something is done there."""

import json
import shlex
import subprocess
from pathlib import Path

from lab import access
from lab.topology import Host

WATCHED = ["/tmp", "/var/tmp", "/run", "/etc", "/var/log", "/home"]  # where a run writes
END = "/tmp/quietrelay-watch-ends"


def on(relay: Host, script: str) -> str:
    """Run a shell script on a host, as its operator."""
    done = subprocess.run(access.command(relay, [script]), capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def start_watching(relay: Host, secrets: list[str]) -> "subprocess.Popen[str]":
    """Look for secrets on a host, as nobody, from now on."""
    script = Path(__file__).with_name("watcher.py").read_text()
    command = access.command(relay, ["sudo", "-u", "nobody", "python3", "-c", shlex.quote(script)])
    watcher = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    told = {"secrets": secrets, "directories": WATCHED, "end": END}
    watcher.stdin.write(json.dumps(told) + "\n")
    watcher.stdin.flush()
    assert watcher.stdout.readline() == "watching\n"
    return watcher
