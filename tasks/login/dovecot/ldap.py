"""Dovecot asks an LDAP directory, by a link that knows an outage from a wrong password."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from pydantic import SecretStr

from tasks.host.templates import render
from tasks.inventory.operator_files import read_secret
from tasks.login import ldap_checks, link
from tasks.login.dovecot import daemon
from tasks.login.ldap_checks import Directory as LdapDirectory
from tasks.login.realm import Realm
from tasks.login.sections import DovecotLdap
from tasks.part import Account, Check, Part, merge
from tasks.servers import ldap_access, trust

CONF = "/etc/dovecot/quietrelay-ldap.conf"
DIRECTORY_CA = "/etc/dovecot/quietrelay-ldap.ca.pem"

MECHANISMS = ("PLAIN", "LOGIN")  # the directory checks passwords, so Dovecot has to be told them

SCOPES = {"sub": "subtree", "one": "onelevel", "base": "base"}
# A login and its parts, in each version's language.
TOKENS = {
    "2.3": {"u": "%u", "U": "%n", "d": "%d"},
    "2.4": {"u": "%{user}", "U": "%{user | username}", "d": "%{user | domain}"},
}


def part(login: DovecotLdap, realm: Realm) -> Part:
    """Have the link lead to the directory, write how it is asked, and have Dovecot ask."""
    own = Part(
        packages=("dovecot-ldap",),
        files={CONF: daemon.written(CONF, partial(_confs, login))},
        checks=(partial(checks, login),),
    )
    linked = link.part(login, DIRECTORY_CA)
    return merge(linked, own, daemon.part(MECHANISMS, socket=link.POSTFIX, ldap=CONF))


def _confs(login: DovecotLdap) -> Mapping[str, SecretStr]:
    password = read_secret("login.bind_password_file", login.bind_password_file)
    return {version: SecretStr(conf(login, version, password)) for version in daemon.VERSIONS}


def conf(login: DovecotLdap, version: str, bind_password: SecretStr) -> str:
    """Write how the directory is asked, in a version's language."""
    return render(
        "login/dovecot/ldap.conf",
        version=version,
        uri=link.URI,
        base=_quoted(login.search_base),
        scope=SCOPES[login.scope],
        bind_dn=_quoted(login.bind_dn or ""),
        bind_password=_quoted(bind_password.get_secret_value()),
        filter=_quoted(re.sub("%(.)", lambda found: TOKENS[version][found[1]], login.filter)),
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def checks(login: DovecotLdap, account: Account | None) -> Iterator[Check]:
    """Walk from the directory's servers over Dovecot to Postfix."""
    directory = LdapDirectory(
        servers=login.servers,
        ca_file=trust.path(login.ca_file, DIRECTORY_CA),
        bind_dn=login.bind_dn,
        password=rf"""sed -nE '/^(dnpass|ldap_auth_dn_password) = /{{
          s/^[^"]*"(.*)"$/\1/; s/\\(.)/\1/g; p }}' {CONF} | tr -d '\n'""",
        search_base=login.search_base,
        scope=login.scope,
        finds=login.filter,
        plain=ldap_access.is_plain(login),
    )
    yield from ldap_checks.checks(directory, account)
    needs = ldap_checks.last_checks(directory, account)
    yield from daemon.checks(account, needs, socket=link.POSTFIX, unit="quietrelay-ldap")
