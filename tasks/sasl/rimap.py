"""saslauthd asks an IMAP server."""

from collections.abc import Iterator, Sequence

from pyinfra.operations import files

from tasks import trust
from tasks.layer import Account, Layer
from tasks.logins import SaslauthdRimap
from tasks.sasl import saslauthd, saslauthd_layers, server_layers

IMAP_CA = "/etc/saslauthd.imap-ca.pem"

PACKAGES = saslauthd.PACKAGES
ASKED = saslauthd.ASKED


def check(login: SaslauthdRimap) -> None:
    """Refuse a CA that is none.

    :raises SettingsError: naming the file and the remedy
    """
    trust.check("login.ca_file", login.ca_file)


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


def layers(login: SaslauthdRimap, account: Account | None) -> Iterator[Layer]:
    """Walk from the IMAP server to saslauthd's answer."""
    servers = list(server_layers.layers(login.server, trust.path(login.ca_file, IMAP_CA), "login.server"))
    yield from servers
    yield from saslauthd_layers.layers(account, [servers[-1].name])


def forget() -> None:
    """Remove what only the IMAP server needs."""
    files.file(name=f"Remove {IMAP_CA}", path=IMAP_CA, present=False)
