"""Failing in the middle of a run."""

from pyinfra.api import QuoteString, StringCommand


def fail(complaint: str) -> StringCommand:
    """Make the command that fails its operation, and so the host, with a complaint as its error output.

    pyinfra shows an exception that an operation raises during execution as a traceback of its own insides.
    """
    return StringCommand("echo", QuoteString(complaint), ">&2; exit 1")
