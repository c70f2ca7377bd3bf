"""saslauthd asks an LDAP directory."""

from pydantic import SecretStr
from pyinfra.operations import files

from tasks import templates
from tasks.logins import SaslauthdLdap
from tasks.operations import secrets
from tasks.operator_files import complaint, read_secret
from tasks.sasl import saslauthd, trust

CONF = "/etc/saslauthd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"

# What saslauthd's LDAP module cuts passwords off at, its own and users' (lak.h).
LONGEST_PASSWORD = 127  # bytes
# What a DN is made of beside names (RFC 4514); saslauthd escapes names for filters alone.
OF_A_DN = ',+"\\<>;=#'

HEALTH = saslauthd.HEALTH


def check(login: SaslauthdLdap) -> None:
    """Refuse a CA that is none, and a password file without a password, or with one that is cut off.

    :raises SettingsError: naming the file and the remedy
    """
    trust.check(login.ca_file)
    if len(_bind_password(login).get_secret_value().encode()) > LONGEST_PASSWORD:
        about = f"{login.bind_password_file} holds a password of more than {LONGEST_PASSWORD} bytes, which "
        raise complaint("login.bind_password_file", about + "saslauthd cuts off; give bind_dn a shorter one")


def _bind_password(login: SaslauthdLdap) -> SecretStr:
    if path := login.bind_password_file:
        return read_secret("login.bind_password_file", path)
    return SecretStr("")


def configure(login: SaslauthdLdap) -> None:
    """Write how the directory is asked, and have saslauthd ask."""
    ca_file = trust.put(login.ca_file, DIRECTORY_CA, "directory")
    password = _bind_password(login).get_secret_value()
    conf = templates.render("saslauthd/saslauthd.conf", login=login, ca_file=ca_file, bind_password=password)
    secrets.file(name=f"Write {CONF}", path=CONF, content=SecretStr(conf))
    saslauthd.run(
        arguments(login), unprivileged=True, credential=f"saslauthd.conf:{CONF}", reads=[CONF, ca_file]
    )


def arguments(login: SaslauthdLdap) -> dict[str, object]:
    """Tell the gate which names to let through, and how."""
    names_are_parts_of_a_dn = login.auth_method == "fastbind" or "%" in login.search_base
    return {
        "mechanism": "ldap",
        "workers": login.workers,
        "cache": login.cache_seconds,
        "names": login.names,
        "domain": login.domains,
        "without": OF_A_DN if names_are_parts_of_a_dn else "",
        "longest-password": LONGEST_PASSWORD,
        "sure-of-bind": login.bind_dn is not None,
        "no-hashes": login.auth_method == "custom",
        # Who was the last to log in with it, a process lets in again without a question (lak.c, lak_bind).
        "afresh": login.auth_method == "fastbind",
    }


def forget() -> None:
    """Remove what only the directory needs."""
    for path in (CONF, DIRECTORY_CA):
        files.file(name=f"Remove {path}", path=path, present=False)
