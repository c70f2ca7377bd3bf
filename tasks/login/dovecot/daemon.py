"""Dovecot: an instance of our own that only checks passwords, for the backends whose name begins with it.

The package's instance, /etc/dovecot/dovecot.conf and dovecot.service, may be an IMAP server of the admin's,
and is left alone. Ours runs without root, in a sandbox.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from shlex import quote
from typing import TypeAlias

from pydantic import SecretStr

from tasks.host.templates import render
from tasks.login import socket_checks
from tasks.login.dovecot import operations
from tasks.part import ASIDE, Account, Check, Daemon, File, Made, Part, Rights
from tasks.part.check import exits_well
from tasks.postfix.configuration import Configuration

UNIT = "/etc/systemd/system/quietrelay-dovecot.service"
CONF = "/etc/dovecot/quietrelay.conf"
SOCKET = "/run/quietrelay-dovecot/postfix"
MADE = (
    Rights("/run/quietrelay-dovecot", "dovecot", "755"),
    Rights(SOCKET, "sasl", "660"),
)
VERSIONS = ("2.3", "2.4")  # which differ in language
Contents: TypeAlias = Callable[[], Mapping[str, SecretStr]]


def part(mechanisms: tuple[str, ...], *, socket: str = SOCKET, users: str = "", ldap: str = "") -> Part:
    """Have it answer on its socket, and Postfix ask there.

    That it answers is heard on every port: what mechanisms it offers, and what it says to a login.

    :param mechanisms: SASL mechanisms that it offers
    :param socket: where Postfix asks it
    :param users: passwd-file to look in, or none
    :param ldap: file with the settings of the directory to ask, or none
    """
    unit = partial(render, "login/dovecot/unit.service", conf=CONF, ldap=ldap)
    conf = partial(by_version, "login/dovecot/dovecot.conf", mechanisms=mechanisms, users=users, ldap=ldap)
    reaches = f"""\
runuser -u postfix -- test -w {socket} ||
  echo "user postfix cannot reach {socket}; see journalctl -u 'quietrelay-*', and group sasl"
"""
    return Part(
        packages=("dovecot-core",),  # which stays, with the package's instance as it is
        actions=(
            partial(
                operations.package_at_rest, name="Let the package's own Dovecot rest where it serves nobody"
            ),
        ),
        files={CONF: written(CONF, conf), UNIT: File(unit)},
        daemons=(
            Daemon(
                "quietrelay-dovecot",
                UNIT,
                "/run/quietrelay-dovecot/master.pid",
                (CONF, *((ldap,) if ldap else ())),
                MADE,
            ),
        ),
        rereads=(CONF,),  # each process of smtpd learns the mechanisms once, when it begins
        mechanisms=mechanisms,
        postfix=Configuration(
            parameters={
                "smtpd_sasl_type": "dovecot",
                "smtpd_sasl_path": socket,
                "cyrus_sasl_config_path": None,
            }
        ),
        probes=(reaches,),
    )


def written(path: str, content: Contents) -> Made:
    """Write a file of Dovecot's configuration in the language of the version that the host has."""
    arguments = partial(_arguments, path, content)
    return Made(operations.file, arguments, "dovecot", "640", f"Write {path}", aside=True)


def _arguments(path: str, content: Contents) -> Mapping[str, object]:
    return {"path": path, "content": content(), "aside": ASIDE}


def checks(
    account: Account | None,
    needs: Sequence[str] = (),
    socket: str = SOCKET,
    unit: str = "quietrelay-dovecot",
) -> Iterator[Check]:
    """Walk from the daemon to its answer to Postfix, which the last check is.

    :param needs: checks of whom it asks, without which it can let nobody in
    :param socket: where Postfix asks it
    :param unit: systemd unit that has that socket
    """
    yield from socket_checks.checks("Dovecot", socket, unit)
    if account:
        # Without a password among its arguments it reads one from standard input (doveadm-auth(1)).
        test = f"doveadm -c {CONF} auth test -x service=smtp -a {SOCKET} {quote(account.login)}"
        yield Check(
            f"Dovecot takes {account.login}'s password, as doveadm auth test sees",
            f"base64 -d | timeout 30 {test}",
            exits_well("the password is wrong, or see journalctl -u quietrelay-dovecot"),
            [socket_checks.OUTSIDE, *needs],
            secret=account.password,
        )


def by_version(template: str, **values: object) -> Mapping[str, SecretStr]:
    """Render a template in each version's language."""
    return {version: SecretStr(render(template, version=version, **values)) for version in VERSIONS}
