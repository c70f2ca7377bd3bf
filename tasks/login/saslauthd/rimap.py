"""saslauthd asks an IMAP server."""

from collections.abc import Iterator
from functools import partial

from tasks.login.realm import Realm
from tasks.login.saslauthd import checks as saslauthd_checks
from tasks.login.saslauthd import daemon
from tasks.login.sections import SaslauthdRimap
from tasks.part import Account, Check, Part, Server, merge
from tasks.servers import checks as server_checks
from tasks.servers import trust

IMAP_CA = "/etc/saslauthd.imap-ca.pem"


def part(login: SaslauthdRimap, realm: Realm) -> Part:
    """Have saslauthd ask the IMAP server, through the gate, which speaks TLS."""
    ca_file = trust.path(login.ca_file, IMAP_CA)
    told = {
        "mechanism": "rimap",
        "workers": login.workers,
        "cache": login.cache_seconds,
        "imap": login.host_and_port,
        "ca": ca_file,
    }
    own = Part(
        files=trust.files("login.ca_file", login.ca_file, IMAP_CA, "IMAP server"),
        servers=(server(login),),
        checks=(partial(checks, login),),
    )
    return merge(own, daemon.part(told, unprivileged=True, reads=(ca_file,)))


def checks(login: SaslauthdRimap, account: Account | None) -> Iterator[Check]:
    """Walk from the IMAP server to saslauthd's answer."""
    asked = server(login)
    yield from server_checks.checks(asked)
    yield from saslauthd_checks.checks(account, [asked.proves])


def server(login: SaslauthdRimap) -> Server:
    """Tell how the IMAP server is reached, and how it proves who it is."""
    host, _, port = login.host_and_port.rpartition(":")
    return Server(login.server, host.strip("[]"), int(port), trust.path(login.ca_file, IMAP_CA))
