"""Dovecot's files, in the language of each version."""

import re

import pytest
from jinja2 import UndefinedError
from pydantic import SecretStr

from tasks.host.templates import render
from tasks.login.dovecot import daemon as dovecot
from tasks.login.dovecot import ldap as dovecot_ldap
from tasks.settings import DovecotLdap

ODD = "100% $HOME `id` \\ \"'<&> \u00e4#"
USERS = "/etc/dovecot/quietrelay.users"


def said(text: str) -> list[str]:
    """Leave out comments, blank lines and indentation."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def conf(version: str, **values: object) -> list[str]:
    """Render Dovecot's own file."""
    texts = dovecot.by_version("login/dovecot/dovecot.conf", mechanisms=["PLAIN", "SCRAM-SHA-256"], **values)
    return said(texts[version].get_secret_value())


def ldap_conf(version: str, **settings: object) -> list[str]:
    """Render the directory's file."""
    usual: dict[str, object] = {"servers": ["ldaps://ldap.example.org"], "search_base": "dc=example,dc=org"}
    return said(dovecot_ldap.conf(DovecotLdap(**usual | settings), version, SecretStr(ODD)))


@pytest.mark.parametrize("version", dovecot.VERSIONS)
def test_nothing_but_authentication_and_nothing_kept(version: str) -> None:
    lines = conf(version, users=USERS, ldap="")
    assert {"protocols =", "auth_cache_size = 0", "auth_mechanisms = plain scram-sha-256"} <= set(lines)
    assert not [line for line in lines if re.match("inet_listener|listen|userdb", line)]


def test_each_version_names_the_accounts_in_its_language() -> None:
    assert f"args = {USERS}" in conf("2.3", users=USERS, ldap="")
    assert f"passwd_file_path = {USERS}" in conf("2.4", users=USERS, ldap="")
    assert conf("2.4", users=USERS, ldap="")[0] == "dovecot_config_version = 2.4.0"


def test_each_version_names_the_directorys_file_in_its_language() -> None:
    assert "args = /etc/ldap.conf" in conf("2.3", users="", ldap="/etc/ldap.conf")
    assert "!include /etc/ldap.conf" in conf("2.4", users="", ldap="/etc/ldap.conf")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.3", 'pass_filter = "(|(uid=%u)(&(cn=%n)(dc=%d)))"'),
        ("2.4", 'ldap_filter = "(|(uid=%{user})(&(cn=%{user | username})(dc=%{user | domain})))"'),
    ],
)
def test_filter_is_put_in_the_versions_words(version: str, expected: str) -> None:
    assert expected in ldap_conf(version, filter="(|(uid=%u)(&(cn=%U)(dc=%d)))")


@pytest.mark.parametrize(("version", "setting"), [("2.3", "dnpass"), ("2.4", "ldap_auth_dn_password")])
def test_password_is_quoted_and_there_only_with_its_entry(version: str, setting: str) -> None:
    lines = ldap_conf(version, bind_dn="cn=relay", bind_password_file="x")
    escaped = ODD.replace("\\", "\\\\").replace('"', '\\"')
    assert f'{setting} = "{escaped}"' in lines
    assert not [line for line in ldap_conf(version) if line.startswith((setting, "dn ", "ldap_auth_dn"))]


@pytest.mark.parametrize("name", ["dovecot.conf", "ldap.conf", "unit.service"])
def test_value_that_is_missing_is_an_error_and_no_empty_line(name: str) -> None:
    with pytest.raises(UndefinedError):
        render(f"login/dovecot/{name}")
