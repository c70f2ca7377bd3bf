"""What pyinfra's apt operations do not do."""

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.deb import DebPackages

from tasks.host.templates import program

PATIENCE = 300  # seconds; unattended-upgrades takes minutes


@operation()
def ready(packages: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Be ready to install packages, if one of them is missing (onhost/apt.sh).

    Waits for somebody else who is installing some, and says for whom. Finishes what dpkg was kept from
    finishing, as by a reboot in its midst.

    + packages: Debian packages that are wanted
    """
    if set(packages) <= set(host.get_fact(DebPackages)):
        host.noop("all packages are installed")
        return
    yield StringCommand("sh -c", QuoteString(program("apt.sh")), "apt.sh", str(PATIENCE))
