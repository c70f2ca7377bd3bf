"""Dovecot asks an LDAP directory, by a link that knows an outage from a wrong password."""

import re
from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from onhost import ldap_link
from tasks.activation.leftovers import Remains
from tasks.host import copies, templates
from tasks.host.operations import daemons
from tasks.inventory.operator_files import read_secret
from tasks.login import ldap_checks as ldap_layers
from tasks.login.dovecot import daemon as dovecot
from tasks.login.dovecot import operations as dovecot_operations
from tasks.login.ldap_checks import Directory
from tasks.login.sections import DovecotLdap
from tasks.part.check import Account, Layer
from tasks.servers import trust

CONF = "/etc/dovecot/quietrelay-ldap.conf"
DIRECTORY_CA = "/etc/dovecot/quietrelay-ldap.ca.pem"
LINK = "/usr/local/lib/quietrelay/ldap_link.py"
LINK_UNIT = "/etc/systemd/system/quietrelay-ldap.service"
DIRECTORY = "/run/quietrelay-ldap/directory"

PACKAGES: Sequence[str] = (*dovecot.PACKAGES, "dovecot-ldap", "ldap-utils", "python3")
ASKED = dovecot.asked("/run/quietrelay-ldap/postfix")
LEAVES = Remains([CONF, DIRECTORY_CA, LINK], units=[("quietrelay-ldap", LINK_UNIT)])
MECHANISMS = ("PLAIN", "LOGIN")  # the directory checks passwords, so Dovecot has to be told them

SCOPES = {"sub": "subtree", "one": "onelevel", "base": "base"}
# A login and its parts, in each version's language.
TOKENS = {
    "2.3": {"u": "%u", "U": "%n", "d": "%d"},
    "2.4": {"u": "%{user}", "U": "%{user | username}", "d": "%{user | domain}"},
}


def check(login: DovecotLdap) -> None:
    """Refuse a CA that is none, and a password file without a password.

    :raises SettingsError: naming the file and the remedy
    """
    trust.check("login.ca_file", login.ca_file)
    _bind_password(login)


def _bind_password(login: DovecotLdap) -> SecretStr:
    if path := login.bind_password_file:
        return read_secret("login.bind_password_file", path)
    return SecretStr("")


def mechanisms(login: DovecotLdap) -> Sequence[str]:
    """Name what the directory can check."""
    return MECHANISMS


def configure(login: DovecotLdap) -> None:
    """Have the link lead to the directory, write how it is asked, and have Dovecot ask."""
    _link(login)
    password = _bind_password(login)
    dovecot_operations.file(
        name=f"Write {CONF}",
        path=CONF,
        content={version: SecretStr(conf(login, version, password)) for version in dovecot.VERSIONS},
    )
    dovecot.run(MECHANISMS, ldap=CONF)


def _link(login: DovecotLdap) -> None:
    ca = trust.put(login.ca_file, DIRECTORY_CA, "directory")
    copies.put("the link to the directory", ldap_link.__file__, LINK)
    templates.put(
        "dovecot/unit.service",
        LINK_UNIT,
        part="link",
        program=LINK,
        arguments=[f"--ca={ca}", *(url.replace("%", "%%") for url in login.servers)],
    )
    daemons.running(
        name="Run quietrelay-ldap",
        unit="quietrelay-ldap",
        pid_file="/run/quietrelay-ldap/pid",
        reads=[LINK_UNIT, LINK, ca],
        unit_file=LINK_UNIT,
    )


def conf(login: DovecotLdap, version: str, bind_password: SecretStr) -> str:
    """Write how the directory is asked, in a version's language."""
    return templates.render(
        "dovecot/ldap.conf",
        version=version,
        uri=f"ldapi://{DIRECTORY.replace('/', '%2F')}",
        base=_quoted(login.search_base),
        scope=SCOPES[login.scope],
        bind_dn=_quoted(login.bind_dn or ""),
        bind_password=_quoted(bind_password.get_secret_value()),
        filter=_quoted(re.sub("%(.)", lambda found: TOKENS[version][found[1]], login.filter)),
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def layers(login: DovecotLdap, account: Account | None) -> Iterator[Layer]:
    """Walk from the directory's servers over Dovecot to Postfix."""
    directory = Directory(
        servers=login.servers,
        ca_file=trust.path(login.ca_file, DIRECTORY_CA),
        bind_dn=login.bind_dn,
        password=rf"""sed -nE '/^(dnpass|ldap_auth_dn_password) = /{{
          s/^[^"]*"(.*)"$/\1/; s/\\(.)/\1/g; p }}' {CONF} | tr -d '\n'""",
        search_base=login.search_base,
        scope=login.scope,
        finds=login.filter,
    )
    yield from ldap_layers.layers(directory, account)
    rests_on = ldap_layers.last_layers(directory, account)
    yield from dovecot.layers(account, rests_on, socket=ASKED.path, unit="quietrelay-ldap")
