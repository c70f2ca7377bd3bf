"""SASL: how users prove who they are."""

from pydantic import SecretStr
from pyinfra import host
from pyinfra.facts.files import FindInFile
from pyinfra.operations import files

from tasks import pem, settings, templates
from tasks.configuration import Configuration
from tasks.operations import daemons, secrets, users
from tasks.operator_files import complaint, read
from tasks.settings import SaslauthdLdap, SaslauthdPam, Settings
from tasks.step import step

SASLAUTHD_CONF = "/etc/saslauthd.conf"
SASLAUTHD_UNIT = "/etc/systemd/system/saslauthd.service"
SMTPD_CONF = "/etc/postfix/sasl/smtpd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"
PAM_SERVICE = "/etc/pam.d/smtp"  # named for the service that Postfix says it is
DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"


def check(relay: Settings) -> None:
    """Refuse files of the operator that saslauthd could not work with.

    :raises SettingsError: when one is missing or not what its setting says
    """
    match relay.login:
        case SaslauthdLdap(ca_file=path) as ldap:
            if path:
                try:
                    pem.chain(read("login.ca_file", path))
                except ValueError as error:
                    raise complaint("login.ca_file", f"{path} {error}") from None
            _bind_password(ldap)
        case SaslauthdPam():
            pass  # its modules are the host's affair


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
    match relay.login:
        case SaslauthdLdap() as ldap:
            _run_saslauthd("ldap", ldap.workers, reads=_ask_ldap(ldap))
            _forget_pam()
        case SaslauthdPam() as pam:
            _ask_pam(pam)
            _run_saslauthd("pam", pam.workers, reads=[])
            _forget_ldap()
    files.directory(name="Make /etc/postfix/sasl", path="/etc/postfix/sasl", user="root", mode="755")
    templates.put("sasl/smtpd.conf", SMTPD_CONF)
    users.in_group(
        name="Put postfix in group sasl, which alone may reach saslauthd's socket",
        user="postfix",
        group="sasl",
    )
    return configuration(relay)


def _ask_ldap(login: SaslauthdLdap) -> list[str]:
    """Write what saslauthd needs for LDAP, and name the files that it reads at its start."""
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
    return [SASLAUTHD_CONF, ca_file]


def _forget_ldap() -> None:
    for path in (SASLAUTHD_CONF, DIRECTORY_CA):
        files.file(name=f"Remove {path}", path=path, present=False)


def _ask_pam(login: SaslauthdPam) -> None:
    """Write the PAM service, which is read at every login, so that nothing has to be restarted for it."""
    templates.put("saslauthd/pam", PAM_SERVICE, login=login)


def _forget_pam() -> None:
    """Remove the PAM service if it is ours; one that somebody else put there serves somebody else."""
    if host.get_fact(FindInFile, path=PAM_SERVICE, pattern="^# .*Written by quietrelay"):
        files.file(name=f"Remove {PAM_SERVICE}", path=PAM_SERVICE, present=False)


def _run_saslauthd(mechanism: str, workers: int, reads: list[str]) -> None:
    templates.put("saslauthd/saslauthd.service", SASLAUTHD_UNIT, mechanism=mechanism, workers=workers)
    daemons.running(
        name="Run saslauthd",
        unit="saslauthd",
        pid_file="/run/saslauthd/saslauthd.pid",
        reads=[SASLAUTHD_UNIT, *reads],
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
