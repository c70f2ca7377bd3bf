"""SASL: how users prove who they are. Each way that an inventory can name is a module here."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pyinfra import host
from pyinfra.operations import files, server

from tasks import settings, templates
from tasks.configuration import Configuration
from tasks.layer import Account, Layer
from tasks.logins import SaslauthdLdap, SaslauthdPam
from tasks.sasl import ldap, pam
from tasks.section import Section
from tasks.settings import Settings
from tasks.step import step

SMTPD_CONF = "/etc/postfix/sasl/smtpd.conf"


class Way(Protocol):
    """A way to log in, as a module: `login` is its section of the inventory."""

    PACKAGES: Sequence[str]
    """Debian packages that only this way needs."""

    HEALTH: str
    """Shell script that prints what is wrong with it on the host, a line each."""

    def check(self, login: Any) -> None:
        """Refuse files of the operator that it could not work with.

        :raises SettingsError: when one is missing or not what its setting says
        """

    def configure(self, login: Any) -> None:
        """Have it check passwords on the host."""

    def layers(self, login: Any, account: Account | None) -> Iterator[Layer]:
        """Say what has to be well for a login, for the doctor; the last is whether Postfix gets its answer.

        :param account: who should be able to log in, if somebody was named
        """

    def forget(self) -> None:
        """Take back what it put on the host, where another way takes its place."""


WAYS: dict[type[Section], Way] = {SaslauthdLdap: ldap, SaslauthdPam: pam}


def check(relay: Settings) -> None:
    """Refuse files of the operator that users could not log in with.

    :raises SettingsError: when one is missing or not what its setting says
    """
    chosen(relay).check(relay.login)


@step("SASL")
def configure() -> Configuration:
    """Have passwords checked in the way that the inventory names and in no other, and Postfix ask there."""
    relay = settings.of(host)
    wanted = chosen(relay)
    wanted.configure(relay.login)
    for way in WAYS.values():
        if way is not wanted:
            way.forget()
    files.directory(name="Make /etc/postfix/sasl", path="/etc/postfix/sasl", user="root", mode="755")
    templates.put("sasl/smtpd.conf", SMTPD_CONF)
    server.user(
        name="Put postfix in group sasl, which alone may reach saslauthd's socket",
        user="postfix",
        groups=["sasl"],
        append=True,
        ensure_home=False,  # or /var/spool/postfix would change its owner
    )
    return configuration(relay)


def chosen(relay: Settings) -> Way:
    """Tell which way the inventory names."""
    return WAYS[type(relay.login)]


def configuration(relay: Settings) -> Configuration:
    """Say how Postfix authenticates (SASL_README)."""
    submission = relay.submission
    return Configuration(
        parameters={
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "cyrus",
            "smtpd_sasl_path": "smtpd",
            # Debian 13's Postfix finds smtpd.conf only so, and else offers what saslauthd cannot check.
            "cyrus_sasl_config_path": "/etc/postfix/sasl",
            "smtpd_sasl_security_options": "noanonymous",
            "smtpd_sasl_local_domain": submission.local_domain,
            "broken_sasl_auth_clients": "yes" if submission.broken_sasl_auth_clients else "no",
            # A login in the trace header would travel with the mail.
            "smtpd_sasl_authenticated_header": "no",
        },
        options={
            "smtp/inet": {"smtpd_sasl_auth_enable": None if submission.auth_on_25 else "no"},
        },
    )
