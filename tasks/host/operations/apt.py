"""What pyinfra's apt operations do not do."""

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.deb import DebPackages
from pyinfra.operations import apt

from tasks.host import differences
from tasks.host.templates import program

PATIENCE = 300  # seconds; unattended-upgrades takes minutes


@operation()
def ready(packages: Sequence[str], noted: str) -> Generator[StringCommand, None, None]:
    """Be ready to install packages, if one of them is missing (onhost/apt.sh).

    Waits for somebody else who is installing some, and says for whom. Finishes what dpkg was kept from
    finishing, as by a reboot in its midst.

    + packages: Debian packages that are wanted
    + noted: file on the host that is to say, from the first time on, what was installed before
    """
    if not _missing(packages):
        host.noop("all packages are installed")
        return
    yield StringCommand("sh -c", QuoteString(program("apt.sh")), "apt.sh", str(PATIENCE), QuoteString(noted))


@operation()
def installed(packages: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Install what is missing, without recommended packages.

    + packages: Debian packages
    """
    _missing(packages)
    yield from apt.packages._inner(
        packages=list(packages),
        no_recommends=True,
        extra_install_args=f"-o DPkg::Lock::Timeout={PATIENCE}",
    )


@operation()
def removed(packages: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Remove packages.

    + packages: Debian packages
    """
    for package in set(packages) & set(host.get_fact(DebPackages)):
        differences.tell(f"package {package}", "is installed, and is to make room")
    yield from apt.packages._inner(packages=list(packages), present=False)


@operation()
def purged(packages: Sequence[str], before: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Purge packages that were not there before, and what came with them and nobody needs any more.

    + packages: Debian packages
    + before: all that were installed once
    """
    going = sorted((set(packages) & set(host.get_fact(DebPackages))) - set(before))
    if not going:
        host.noop("all packages were there before")
        return
    purge = f"DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout={PATIENCE} purge"
    yield StringCommand(purge, *map(QuoteString, going))
    look = "apt-get -s -o APT::AutoRemove::RecommendsImportant=false autoremove"
    idle = rf"{look} | sed -n 's/^Remv \([^ ]*\).*/\1/p'"
    stays = [word for package in before for word in ("-e", QuoteString(package))]
    yield StringCommand(f"going=$({idle} | grep -vxF", *stays, f'); test -z "$going" || {purge} $going')


def _missing(packages: Sequence[str]) -> list[str]:
    missing = sorted(set(packages) - set(host.get_fact(DebPackages)))
    for package in missing:
        differences.tell(f"package {package}", "is not installed")
    return missing
