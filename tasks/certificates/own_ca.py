"""The calls of a relay's own small CA (onhost/own_ca.sh). Pure: it writes commands."""

from collections.abc import Sequence

from pyinfra.api import QuoteString, StringCommand

from tasks.host.templates import program


def authority(directory: str) -> StringCommand:
    """Make the CA: ``ca.key``, 0600 from the first byte, and ``ca.pem``."""
    return _call("authority", directory)


def certificate(directory: str, names: Sequence[str], days: int) -> StringCommand:
    """Have the CA issue ``relay.pem``, key and certificate in one file so that one rename replaces both."""
    return _call("certificate", directory, ",".join(f"DNS:{name}" for name in names), str(days))


def _call(*words: str) -> StringCommand:
    return StringCommand("sh -c", QuoteString(program("own_ca.sh")), "own_ca.sh", *map(QuoteString, words))
