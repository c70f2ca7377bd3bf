"""SASL: how users prove who they are."""

from pydantic import SecretStr
from pyinfra import host
from pyinfra.operations import files, server

from tasks import pem, settings, templates
from tasks.configuration import Configuration
from tasks.operations import daemons, secrets
from tasks.operator_files import complaint, read
from tasks.settings import SaslauthdLdap, Settings
from tasks.step import step

SASLAUTHD_CONF = "/etc/saslauthd.conf"
SASLAUTHD_UNIT = "/etc/systemd/system/saslauthd.service"
SMTPD_CONF = "/etc/postfix/sasl/smtpd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"
DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"


def check(relay: Settings) -> None:
    """Refuse files of the operator that saslauthd could not work with.

    :raises SettingsError: when one is missing or not what its setting says
    """
    if path := relay.login.ca_file:
        try:
            pem.chain(read("login.ca_file", path))
        except ValueError as error:
            raise complaint("login.ca_file", f"{path} {error}") from None
    _bind_password(relay.login)


def _bind_password(login: SaslauthdLdap) -> SecretStr:
    if not (path := login.bind_password_file):
        return SecretStr("")
    password = read("login.bind_password_file", path).rstrip("\r\n")
    if not password or "\n" in password or password != password.strip():
        raise complaint(
            "login.bind_password_file",
            f"{path} must hold one line, the password, which begins and ends with no blank",
        )
    return SecretStr(password)


@step("SASL")
def configure() -> Configuration:
    """Have saslauthd answer on its socket, and Postfix ask there."""
    relay = settings.of(host)
    _saslauthd(relay.login)
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


def _saslauthd(login: SaslauthdLdap) -> None:
    if login.ca_file:
        files.put(
            name=f"Put the directory's CA in {DIRECTORY_CA}",
            src=login.ca_file,
            dest=DIRECTORY_CA,
            user="root",
            group="root",
            mode="644",
        )
    ca_file = DIRECTORY_CA if login.ca_file else DEBIAN_CAS
    password = _bind_password(login).get_secret_value()
    conf = templates.render("saslauthd/saslauthd.conf", login=login, ca_file=ca_file, bind_password=password)
    secrets.file(name=f"Write {SASLAUTHD_CONF}", path=SASLAUTHD_CONF, content=SecretStr(conf))
    templates.put("saslauthd/saslauthd.service", SASLAUTHD_UNIT, login=login)
    daemons.running(
        name="Run saslauthd",
        unit="saslauthd",
        pid_file="/run/saslauthd/saslauthd.pid",
        reads=[SASLAUTHD_CONF, SASLAUTHD_UNIT, ca_file],
        unit_file=SASLAUTHD_UNIT,
    )


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
