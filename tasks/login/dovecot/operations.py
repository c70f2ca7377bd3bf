"""Dovecot's configuration, in the language of the version that the host has."""

from collections.abc import Generator, Mapping

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import StringCommand, operation

from tasks.host import differences
from tasks.host.operations import secrets
from tasks.host.operations.failing import fail
from tasks.login.dovecot.facts import DovecotVersion, IdleDovecot


@operation()
def file(
    path: str, content: Mapping[str, SecretStr], aside: str = ""
) -> Generator[StringCommand, None, None]:
    """Own a file of Dovecot's configuration, for root's and Dovecot's eyes alone.

    + path: absolute path on the host; its directory exists
    + content: Dovecot's version, as ``2.3``, to the text for it
    + aside: what follows the path's name where it is to lie until somebody renames it
    """
    version = host.get_fact(DovecotVersion)
    if not version:  # while a first run is prepared; the packages come before
        differences.tell(path, "is not there")
        yield fail("dovecot is missing: its package is not installed")
    elif version not in content:
        yield fail(f"Dovecot {version} is not supported; {' and '.join(content)} are")
    else:
        yield from secrets.file._inner(path=path, content=content[version], group="dovecot", aside=aside)


@operation()
def package_at_rest() -> Generator[StringCommand, None, None]:
    """Switch the package's own instance off where it serves nobody, as it does when it was just installed.

    Where it has a protocol to serve, it is the admin's, and stays as it is.
    """
    if host.get_fact(IdleDovecot):
        differences.tell("dovecot.service", "runs, or would at boot, and serves nobody")
        yield StringCommand("systemctl disable --quiet --now dovecot.socket dovecot.service")
    else:
        host.noop("the package's own Dovecot does not run for nobody")
