"""The proof as a person would do it by hand: log in from the laptop, send, and look at what arrived outside.

    python -m lab.by_hand bookworm.relay.test

What is typed stands behind ``C:``, what the relay says behind ``S:``. The conversation itself,
`lab/conversation.py`, runs on the laptop, so that the relay sees a user at home.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from lab import access
from lab.process import LabError, run, wait_until
from lab.topology import OUTSIDE_MAILDIR, Host, host_named, user_named

LAPTOP = host_named("laptop.home.test")
OUTSIDE = host_named("mx.outside.test")
USER = user_named("alice")


def main(relay: Host) -> int:
    """Send a message through a relay, show the conversation and the headers as they arrived."""
    subject = f"By hand {uuid4()}"
    told = {
        "relay": relay.name,
        "login": USER.uid,
        "password": USER.password,
        "sender": USER.mail,
        "recipient": "friend@outside.test",
        "subject": subject,
        "authority": run(access.command(relay, ["sudo", "cat", "/etc/postfix/tls/ca.pem"])),
    }
    print(f"On the laptop, {LAPTOP.ipv4} and {LAPTOP.ipv6}:")
    converse(told)
    print("\n5. What arrived outside says nothing of the laptop:")
    for line in arrived(subject).partition("\n\n")[0].splitlines():
        print(f"  {line}")
    return 0


def converse(told: dict[str, str]) -> None:
    """Hold the conversation on the laptop; LabError where the relay does not take the message."""
    script = Path(__file__).with_name("conversation.py").read_text()
    # The program as argument, what it must not show to others (ps(1)) on its standard input.
    command = access.command(LAPTOP, ["python3", "-c", shlex.quote(script)])
    done = subprocess.run(command, input=json.dumps(told), text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise LabError(f"{told['relay']} did not take the message (above)")


def arrived(subject: str) -> str:
    """Wait for a message at the outside server, 30 seconds at most, and return it."""
    find = ["sudo", "grep", "-rlF", shlex.quote(subject), f"{OUTSIDE_MAILDIR}/new"]
    paths: list[str] = []

    def there() -> bool:
        try:
            paths[:] = run(access.command(OUTSIDE, find)).split()
        except LabError:  # grep exits 1 where nothing is found
            return False
        return True

    wait_until(there, f"message {subject!r} at {OUTSIDE.name}", timeout=30, pause=0.3)
    return run(access.command(OUTSIDE, ["sudo", "cat", paths[0]]))


if __name__ == "__main__":
    try:
        sys.exit(main(host_named(sys.argv[1])))
    except (LabError, KeyError, IndexError) as error:
        print(f"by_hand: {error}", file=sys.stderr)
        sys.exit(1)
