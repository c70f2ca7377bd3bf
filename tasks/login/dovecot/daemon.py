"""Dovecot: an instance of our own that only checks passwords, for the ways whose name begins with it.

The package's instance, /etc/dovecot/dovecot.conf and dovecot.service, may be an IMAP server of the admin's,
and is left alone. Ours runs without root, in a sandbox.
"""

from collections.abc import Iterator, Mapping, Sequence
from shlex import quote

from pydantic import SecretStr

from tasks.activation.leftovers import Remains
from tasks.host import templates
from tasks.host.operations import daemons
from tasks.login import socket_checks as socket_layers
from tasks.login.backend import Asked
from tasks.login.dovecot import operations as dovecot
from tasks.part.check import Account, Layer, exits_well

UNIT = "/etc/systemd/system/quietrelay-dovecot.service"
CONF = "/etc/dovecot/quietrelay.conf"
SOCKET = "/run/quietrelay-dovecot/postfix"
VERSIONS = ("2.3", "2.4")  # which differ in language

PACKAGES: Sequence[str] = ("dovecot-core",)  # which stays, with the package's instance as it is
LEAVES = Remains([CONF], units=[("quietrelay-dovecot", UNIT)])


def run(mechanisms: Sequence[str], *, users: str = "", ldap: str = "") -> None:
    """Have it answer on its socket.

    :param mechanisms: SASL mechanisms that it offers
    :param users: passwd-file to look in, or none
    :param ldap: file with the settings of the directory to ask, or none
    """
    dovecot.package_at_rest(name="Let the package's own Dovecot rest where it serves nobody")
    dovecot.file(
        name=f"Write {CONF}",
        path=CONF,
        content=by_version("dovecot/dovecot.conf", mechanisms=mechanisms, users=users, ldap=ldap),
    )
    templates.put("dovecot/unit.service", UNIT, part="dovecot", conf=CONF, ldap=ldap)
    daemons.running(
        name="Run quietrelay-dovecot",
        unit="quietrelay-dovecot",
        pid_file="/run/quietrelay-dovecot/master.pid",
        reads=[UNIT, CONF, *([ldap] if ldap else [])],
        unit_file=UNIT,
    )


def layers(
    account: Account | None,
    rests_on: Sequence[str] = (),
    socket: str = SOCKET,
    unit: str = "quietrelay-dovecot",
) -> Iterator[Layer]:
    """Walk from the daemon to its answer to Postfix, which the last layer is.

    :param rests_on: layers of whom it asks, without which it can let nobody in
    :param socket: where Postfix asks it
    :param unit: systemd unit that has that socket
    """
    yield from socket_layers.layers("Dovecot", socket, unit)
    if account:
        # Without a password among its arguments it reads one from standard input (doveadm-auth(1)).
        test = f"doveadm -c {CONF} auth test -x service=smtp -a {SOCKET} {quote(account.login)}"
        yield Layer(
            f"Dovecot takes {account.login}'s password, as doveadm auth test sees",
            f"base64 -d | timeout 30 {test}",
            exits_well("the password is wrong, or see journalctl -u quietrelay-dovecot"),
            [socket_layers.OUTSIDE, *rests_on],
            secret=account.password,
        )


def by_version(template: str, **values: object) -> Mapping[str, SecretStr]:
    """Render a template in each version's language."""
    return {version: SecretStr(templates.render(template, version=version, **values)) for version in VERSIONS}


def asked(socket: str) -> Asked:
    """Say how Postfix asks it, at a socket.

    That it answers is seen on every port: smtpd asks it for the mechanisms that it offers.
    """
    health = f"""\
runuser -u postfix -- test -w {socket} ||
  echo "user postfix cannot reach {socket}; see journalctl -u 'quietrelay-*', and group sasl"
"""
    return Asked(health=health, type="dovecot", path=socket, offers=CONF, leaves=LEAVES)
