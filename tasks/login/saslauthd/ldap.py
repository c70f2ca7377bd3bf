"""saslauthd asks an LDAP directory."""

from collections.abc import Iterator
from functools import partial

from pydantic import SecretStr

from tasks.host.templates import render
from tasks.inventory.operator_files import OperatorFileError, read_secret
from tasks.login import ldap_checks, link
from tasks.login.ldap_checks import Directory
from tasks.login.realm import Realm
from tasks.login.saslauthd import checks as saslauthd_checks
from tasks.login.saslauthd import daemon
from tasks.login.sections import SaslauthdLdap
from tasks.part import Account, Check, File, Part, merge
from tasks.servers import ldap_access, trust

CONF = "/etc/saslauthd.conf"
DIRECTORY_CA = "/etc/saslauthd.ca.pem"

# What saslauthd's LDAP module cuts passwords off at, its own and users' (lak.h).
LONGEST_PASSWORD = 127  # bytes
# What a DN is made of beside names (RFC 4514); saslauthd escapes names for filters alone.
OF_A_DN = ',+"\\<>;=#'


def part(login: SaslauthdLdap, realm: Realm) -> Part:
    """Write how the directory is asked, and have saslauthd ask."""
    own = Part(
        files={CONF: File(partial(_conf, login), mode="600")},
        checks=(partial(checks, login),),
    )
    runs = daemon.part(
        arguments(login),
        unprivileged=True,
        credential=f"saslauthd.conf:{CONF}",
        reads=(CONF,),
        after="quietrelay-ldap.service",
    )
    return merge(link.part(login, DIRECTORY_CA), own, runs)


def _conf(login: SaslauthdLdap) -> SecretStr:
    return SecretStr(conf(login, _bind_password(login)))


def conf(login: SaslauthdLdap, bind_password: SecretStr) -> str:
    """Write how the directory is asked (LDAP_SASLAUTHD in sasl2-bin)."""
    return render(
        "login/saslauthd/saslauthd.conf",
        login=login,
        servers=link.URI,
        timeout=link.patience(login),
        bind_password=bind_password.get_secret_value(),
    )


def _bind_password(login: SaslauthdLdap) -> SecretStr:
    setting = "login.bind_password_file"
    password = read_secret(setting, login.bind_password_file)
    if len(password.get_secret_value().encode()) > LONGEST_PASSWORD:
        about = f"{login.bind_password_file} holds a password of more than {LONGEST_PASSWORD} bytes, which "
        raise OperatorFileError(setting, about + "saslauthd cuts off; give bind_dn a shorter one")
    return password


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
        "no-hashes": login.auth_method == "custom",
        # Who was the last to log in with it, a process lets in again without a question (lak.c, lak_bind).
        "afresh": login.auth_method == "fastbind",
    }


def checks(login: SaslauthdLdap, account: Account | None) -> Iterator[Check]:
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
        plain=ldap_access.is_plain(login),
    )
    needs = []
    if account:
        accepted = f"{account.login} is a name that the settings let in"
        yield Check(accepted, "true", lambda result: judge_name(login, account.login))
        needs.append(accepted)
    yield from ldap_checks.checks(directory, account)
    yield from saslauthd_checks.checks(account, [*needs, *ldap_checks.last_checks(directory, account)])


def judge_name(login: SaslauthdLdap, name: str) -> str:
    """Tell why the gate lets a name not through."""
    _, at, domain = name.rpartition("@")
    if at and not login.accepts(domain):
        return f"it is an address; correct login.names, {login.names!r} now, or login.domains"
    if not at and login.names == "address":
        return "it is no address; correct login.names, 'address' now"
    return ""
