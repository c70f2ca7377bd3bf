"""SASL: how users prove who they are. Each way that an inventory can name is a module here."""

from collections.abc import Iterator, Sequence

from pyinfra import host
from pyinfra.operations import files

from tasks import settings
from tasks.activation.leftovers import Remains
from tasks.host import templates
from tasks.host.operations import users
from tasks.host.step import step
from tasks.inventory.section import Section
from tasks.login.backend import SMTPD_CONF, Way
from tasks.login.dovecot import ldap as dovecot_ldap
from tasks.login.dovecot import passwd_file as dovecot_passwd_file
from tasks.login.saslauthd import ldap, pam, rimap
from tasks.login.sasldb import backend as sasldb
from tasks.login.sections import (
    DovecotLdap,
    DovecotPasswdFile,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
)
from tasks.postfix.configuration import Configuration
from tasks.settings import Settings

WAYS: dict[type[Section], Way] = {
    SaslauthdLdap: ldap,
    SaslauthdPam: pam,
    SaslauthdRimap: rimap,
    Sasldb: sasldb,
    DovecotPasswdFile: dovecot_passwd_file,
    DovecotLdap: dovecot_ldap,
}


def check(relay: Settings) -> None:
    """Refuse files of the operator that users could not log in with.

    :raises SettingsError: when one is missing or not what its setting says
    """
    chosen(relay).check(relay.login)


@step("SASL")
def configure() -> Configuration:
    """Have passwords checked in the way that the inventory names, and Postfix ask there."""
    relay = settings.of(host)
    way = chosen(relay)
    way.configure(relay.login)
    if lines := way.ASKED.smtpd_conf:
        files.directory(name="Make /etc/postfix/sasl", path="/etc/postfix/sasl", user="root", mode="755")
        templates.put("sasl/smtpd.conf", SMTPD_CONF, lines=lines, mechanisms=mechanisms(relay))
    users.in_group(
        name="Put postfix in group sasl, which alone may have passwords checked",
        user="postfix",
        group="sasl",
    )
    return configuration(relay)


def remains() -> Iterator[Remains]:
    """Tell what other ways than the one that the inventory names may have left on the host."""
    yield from remains_beside(chosen(settings.of(host)))


def remains_beside(wanted: Way) -> Iterator[Remains]:
    """Tell what all ways but one may have left; those that ask the same daemon leave it to each other."""
    for way in WAYS.values():
        if way is not wanted:
            yield way.LEAVES
            if way.ASKED.leaves != wanted.ASKED.leaves:
                yield way.ASKED.leaves
    if not wanted.ASKED.smtpd_conf:
        yield Remains([SMTPD_CONF])


def chosen(relay: Settings) -> Way:
    """Tell which way the inventory names."""
    return WAYS[type(relay.login)]


def mechanisms(relay: Settings) -> Sequence[str]:
    """Name the SASL mechanisms that the relay offers under TLS."""
    return chosen(relay).mechanisms(relay.login)


def configuration(relay: Settings) -> Configuration:
    """Say how Postfix authenticates (SASL_README)."""
    submission, asked = relay.submission, chosen(relay).ASKED
    return Configuration(
        parameters={
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": asked.type,
            "smtpd_sasl_path": asked.path,
            # Debian 13's Postfix finds smtpd.conf only so, and else offers what nobody here can check.
            "cyrus_sasl_config_path": "/etc/postfix/sasl" if asked.smtpd_conf else None,
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
