"""saslauthd asks an LDAP directory."""

from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from tasks.activation.leftovers import Remains
from tasks.host import templates
from tasks.host.operations import secrets
from tasks.inventory.operator_files import complaint, read_secret
from tasks.login import ldap_checks as ldap_layers
from tasks.login.ldap_checks import Directory
from tasks.login.saslauthd import checks as saslauthd_layers
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.sections import SaslauthdLdap
from tasks.part.check import Account, Layer
from tasks.servers import trust

CONF = "/etc/saslauthd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"

# What saslauthd's LDAP module cuts passwords off at, its own and users' (lak.h).
LONGEST_PASSWORD = 127  # bytes
# What a DN is made of beside names (RFC 4514); saslauthd escapes names for filters alone.
OF_A_DN = ',+"\\<>;=#'

PACKAGES: Sequence[str] = (*saslauthd.PACKAGES, "ldap-utils")  # for the doctor
ASKED = saslauthd.ASKED
LEAVES = Remains([CONF, DIRECTORY_CA])


def check(login: SaslauthdLdap) -> None:
    """Refuse a CA that is none, and a password file without a password, or with one that is cut off.

    :raises SettingsError: naming the file and the remedy
    """
    trust.check("login.ca_file", login.ca_file)
    if len(_bind_password(login).get_secret_value().encode()) > LONGEST_PASSWORD:
        about = f"{login.bind_password_file} holds a password of more than {LONGEST_PASSWORD} bytes, which "
        raise complaint("login.bind_password_file", about + "saslauthd cuts off; give bind_dn a shorter one")


def _bind_password(login: SaslauthdLdap) -> SecretStr:
    if path := login.bind_password_file:
        return read_secret("login.bind_password_file", path)
    return SecretStr("")


def mechanisms(login: SaslauthdLdap) -> Sequence[str]:
    """Name what saslauthd can check."""
    return saslauthd.MECHANISMS


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


def layers(login: SaslauthdLdap, account: Account | None) -> Iterator[Layer]:
    """Walk from the name over the directory's servers to saslauthd's answer."""
    directory = Directory(
        servers=login.servers,
        ca_file=trust.path(login.ca_file, DIRECTORY_CA),
        bind_dn=login.bind_dn,
        password=f"sed -n 's/^ldap_password: //p' {CONF} | tr -d '\\n'",
        search_base=login.search_base,
        scope=login.scope,
        finds=login.finds,
        binds_as_user=login.auth_method != "custom",
    )
    rests_on = []
    if account:
        accepted = f"{account.login} is a name that the settings let in"
        yield Layer(accepted, "true", lambda heard: judge_name(login, account.login))
        rests_on.append(accepted)
    yield from ldap_layers.layers(directory, account)
    yield from saslauthd_layers.layers(account, [*rests_on, *ldap_layers.last_layers(directory, account)])


def judge_name(login: SaslauthdLdap, name: str) -> str:
    """Tell why the gate lets a name not through."""
    _, at, domain = name.rpartition("@")
    if at and not login.accepts(domain):
        return f"it is an address; correct login.names, {login.names!r} now, or login.domains"
    if not at and login.names == "address":
        return "it is no address; correct login.names, 'address' now"
    return ""
