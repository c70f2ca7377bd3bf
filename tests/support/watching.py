"""Watches a host for secrets in anybody's reach, while something is done there."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.bed import Relay

# Where a run writes.
WATCHED = ["/tmp", "/var/tmp", "/run", "/etc", "/var/log", "/var/lib/quietrelay", "/home"]
KEYS = [f"{kind}PRIVATE KEY-----\nM" for kind in ("", "EC ", "RSA ")]
"""How private keys begin, whosever they are."""
END = "/tmp/quietrelay-watch-ends"


@contextmanager
def watching(relay: Relay, secrets: list[str]) -> Iterator[list[str]]:
    """Look for secrets on a host, as nobody, while this is open; where one was seen is listed at the end."""
    script = Path(__file__).with_name("watcher.py").read_text()
    # Told by its standard input what it looks for: arguments are among the places where it looks.
    watcher = relay.remote.start(f"rm -f {END}; exec runuser -u nobody -- python3 -c {shlex.quote(script)}")
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    told = {"secrets": secrets, "directories": WATCHED, "end": END}
    watcher.stdin.write(json.dumps(told) + "\n")
    watcher.stdin.flush()
    assert watcher.stdout.readline() == "watching\n"
    seen: list[str] = []
    try:
        yield seen
    finally:
        relay.remote.run(f"touch {END}")
        found, _ = watcher.communicate(timeout=120)
        assert watcher.returncode == 0
        seen += json.loads(found)


@contextmanager
def unread(relays: Sequence[Relay], secrets: list[str]) -> Iterator[None]:
    """Have nobody on hosts come to read a secret while this is open."""
    with ExitStack() as stack:
        seen = {relay: stack.enter_context(watching(relay, secrets)) for relay in relays}
        yield
    assert seen == {relay: [] for relay in relays}
