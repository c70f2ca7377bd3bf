"""What checks saw at the ports of relays, for whoever reads the report."""

from threading import Lock
from typing import TypedDict


class Seen(TypedDict):
    """What one port showed."""

    names: str
    """The names for which its certificate is."""
    issuer: str
    expires: str
    """When the certificate does, in ISO 8601."""
    transcript: str
    """What was said to it (`C:`) and what it answered (`S:`), without passwords."""


_noting = Lock()
_ports: dict[str, dict[str, Seen]] = {}


def note(host: str, port: str, seen: Seen) -> None:
    """Note what a port showed, and the transcript beside those that are there."""
    with _noting:  # conversations go on side by side
        ports = _ports.setdefault(host, {})
        if former := ports.get(port):
            seen = {**seen, "transcript": f"{former['transcript']}\n\n{seen['transcript']}"}
        ports[port] = seen


def at(host: str) -> dict[str, dict[str, str]]:
    """Tell what the ports of a relay showed."""
    return {
        port: {key: str(value) for key, value in one.items()}
        for port, one in sorted(_ports.get(host, {}).items())
    }
