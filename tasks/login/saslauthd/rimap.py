"""saslauthd asks an IMAP server."""

from collections.abc import Iterator, Sequence

from tasks.activation.leftovers import Remains
from tasks.login import server_checks as server_layers
from tasks.login.saslauthd import checks as saslauthd_layers
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.sections import SaslauthdRimap
from tasks.login.server_checks import Server
from tasks.part.check import Account, Layer
from tasks.servers import trust

IMAP_CA = "/etc/saslauthd.imap-ca.pem"

PACKAGES = saslauthd.PACKAGES
ASKED = saslauthd.ASKED
LEAVES = Remains([IMAP_CA])


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
    host, _, port = login.host_and_port.rpartition(":")
    server = Server(login.server, host.strip("[]"), int(port), trust.path(login.ca_file, IMAP_CA))
    yield from server_layers.layers(server)
    yield from saslauthd_layers.layers(account, [server.proves])
