"""saslauthd asks an LDAP directory."""

from collections.abc import Iterator, Sequence

from pydantic import SecretStr
from pyinfra.operations import files

from tasks import templates
from tasks.layer import Account, Layer
from tasks.logins import SaslauthdLdap
from tasks.operations import secrets
from tasks.operator_files import read_ca, read_secret
from tasks.sasl import ldap_layers, saslauthd, saslauthd_layers

CONF = "/etc/saslauthd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"
DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"

PACKAGES: Sequence[str] = ("ldap-utils",)  # for the doctor, who asks as saslauthd does
HEALTH = saslauthd.HEALTH


def check(login: SaslauthdLdap) -> None:
    """Refuse a CA that is none, and a password file without a password.

    :raises SettingsError: naming the file and the remedy
    """
    if path := login.ca_file:
        read_ca("login.ca_file", path)
    _bind_password(login)


def _bind_password(login: SaslauthdLdap) -> SecretStr:
    if path := login.bind_password_file:
        return read_secret("login.bind_password_file", path)
    return SecretStr("")


def configure(login: SaslauthdLdap) -> None:
    """Write how the directory is asked, and have saslauthd ask."""
    if login.ca_file:
        files.put(
            name=f"Put the directory's CA in {DIRECTORY_CA}",
            src=login.ca_file,
            dest=DIRECTORY_CA,
            user="root",
            group="root",
            mode="644",
        )
    ca_file = _ca_file(login)
    password = _bind_password(login).get_secret_value()
    conf = templates.render("saslauthd/saslauthd.conf", login=login, ca_file=ca_file, bind_password=password)
    secrets.file(name=f"Write {CONF}", path=CONF, content=SecretStr(conf))
    saslauthd.run("ldap", login.workers, reads=[CONF, ca_file])


def forget() -> None:
    """Remove what only the directory needs."""
    for path in (CONF, DIRECTORY_CA):
        files.file(name=f"Remove {path}", path=path, present=False)


def layers(login: SaslauthdLdap, account: Account | None) -> Iterator[Layer]:
    """Walk from the directory's servers to saslauthd's answer."""
    yield from ldap_layers.layers(login, account, CONF, _ca_file(login))
    yield from saslauthd_layers.layers(account, ldap_layers.last_layers(login, account))


def _ca_file(login: SaslauthdLdap) -> str:
    return DIRECTORY_CA if login.ca_file else DEBIAN_CAS
