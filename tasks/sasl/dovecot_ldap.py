"""Dovecot asks an LDAP directory, by a link that knows an outage from a wrong password."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from pyinfra.operations import files

from tasks import server_layers, templates, trust
from tasks.layer import Account, Layer, exits_well
from tasks.logins import DovecotLdap
from tasks.operations import daemons
from tasks.operations import dovecot as dovecot_operations
from tasks.operator_files import read_secret
from tasks.sasl import dovecot, ldap_link
from tasks.server_layers import Server

CONF = "/etc/dovecot/quietrelay-ldap.conf"
DIRECTORY_CA = "/etc/dovecot/quietrelay-ldap.ca.pem"
LINK = "/usr/local/lib/quietrelay/ldap_link.py"
LINK_UNIT = "/etc/systemd/system/quietrelay-ldap.service"
DIRECTORY = "/run/quietrelay-ldap/directory"
ASKED_AT = "/run/quietrelay-ldap/postfix"
ASKED = dovecot.asked(ASKED_AT)

PACKAGES: Sequence[str] = (*dovecot.PACKAGES, "dovecot-ldap", "python3")
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
    files.put(
        name=f"Put the link to the directory in {LINK}",
        src=str(Path(ldap_link.__file__)),
        dest=LINK,
        user="root",
        group="root",
        mode="644",
    )
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


def forget() -> None:
    """Stop the link, and remove what only the directory needs."""
    daemons.gone(name="Run no quietrelay-ldap", unit="quietrelay-ldap", unit_file=LINK_UNIT)
    for path in (CONF, DIRECTORY_CA, LINK):
        files.file(name=f"Remove {path}", path=path, present=False)


def layers(login: DovecotLdap, account: Account | None) -> Iterator[Layer]:
    """Walk from the directory's servers over the link to Dovecot's socket."""
    servers = [_server(login, url) for url in login.servers]
    for server in servers:
        yield from server_layers.layers(server)
    link = "the link to the directory runs"
    # Of several servers one may be down.
    rests_on = [server.proves for server in servers] if len(servers) == 1 else []
    script = f"test -S {DIRECTORY} && systemctl is-active quietrelay-ldap"
    yield Layer(link, script, exits_well("see journalctl -u quietrelay-ldap, and deploy"), rests_on)
    yield from dovecot.layers([link], ASKED_AT)


def _server(login: DovecotLdap, url: str) -> Server:
    parts = urlsplit(url)
    secure = parts.scheme == "ldaps"
    port = parts.port or (636 if secure else 389)
    ca_file = trust.path(login.ca_file, DIRECTORY_CA)
    return Server(url, parts.hostname or "", port, ca_file, "" if secure else "ldap")
