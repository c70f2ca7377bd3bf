"""saslauthd asks an IMAP server."""

from collections.abc import Sequence

from pyinfra.operations import files

from tasks.logins import SaslauthdRimap
from tasks.sasl import saslauthd, trust

IMAP_CA = "/etc/saslauthd.imap-ca.pem"

PACKAGES = saslauthd.PACKAGES
ASKED = saslauthd.ASKED


def check(login: SaslauthdRimap) -> None:
    """Refuse a CA that is none.

    :raises SettingsError: naming the file and the remedy
    """
    trust.check(login.ca_file)


def mechanisms(login: SaslauthdRimap) -> Sequence[str]:
    """Name what saslauthd can check."""
    return saslauthd.MECHANISMS


def configure(login: SaslauthdRimap) -> None:
    """Have saslauthd ask the IMAP server, through the gate, which speaks TLS."""
    ca_file = trust.put(login.ca_file, IMAP_CA, "IMAP server")
    told = {
        "mechanism": "rimap",
        "workers": login.workers,
        "cache": login.cache_seconds,
        "imap": login.host_and_port,
        "ca": ca_file,
    }
    saslauthd.run(told, unprivileged=True, reads=[ca_file])


def forget() -> None:
    """Remove what only the IMAP server needs."""
    files.file(name=f"Remove {IMAP_CA}", path=IMAP_CA, present=False)
