"""The files that are ours say what the settings say, character by character."""

import pytest
from jinja2 import UndefinedError

from tasks.sasl import saslauthd
from tasks.settings import SaslauthdLdap, SaslauthdPam
from tasks.templates import render
from tests.unit.examples import LOGIN

ODD = "100% {{ x }} $HOME `id` \\ \"'<&> ä#"
SEARCHING = SaslauthdLdap(
    servers=["ldap://a.example.org", "ldap://[2001:db8::1]:389"],
    search_base="ou=Müller & Söhne,dc=example",
    filter="(&(uid=%u)(objectClass=person))",
    scope="one",
    timeout=7,
    workers=3,
    bind_dn="cn=relay,dc=example",
    bind_password_file="secret",
)


def saslauthd_conf(login: SaslauthdLdap, bind_password: str = "") -> dict[str, str]:
    """Render saslauthd.conf and read it back."""
    text = render("saslauthd/saslauthd.conf", login=login, ca_file="/etc/ca.pem", bind_password=bind_password)
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def test_saslauthd_searches_anonymously_by_default() -> None:
    assert saslauthd_conf(LOGIN) == {
        "ldap_servers": "ldaps://ldap.example.org",
        "ldap_version": "3",
        "ldap_auth_method": "bind",
        "ldap_search_base": "ou=People,dc=example,dc=org",
        "ldap_scope": "sub",
        "ldap_filter": "(uid=%u)",
        "ldap_timeout": "5",
        "ldap_restart": "yes",
        "ldap_start_tls": "no",
        "ldap_tls_check_peer": "yes",
        "ldap_tls_cacert_file": "/etc/ca.pem",
    }


def test_saslauthd_gets_the_settings_unchanged() -> None:
    conf = saslauthd_conf(SEARCHING, bind_password=ODD)
    assert conf["ldap_servers"] == "ldap://a.example.org ldap://[2001:db8::1]:389"
    assert conf["ldap_search_base"] == "ou=Müller & Söhne,dc=example"
    assert conf["ldap_filter"] == "(&(uid=%u)(objectClass=person))"
    assert conf["ldap_scope"] == "one"
    assert conf["ldap_timeout"] == "7"
    assert conf["ldap_start_tls"] == "yes"
    assert conf["ldap_bind_dn"] == "cn=relay,dc=example"
    assert conf["ldap_password"] == ODD


def test_saslauthd_keeps_no_passwords_and_shows_its_socket_to_its_group_alone() -> None:
    unit = render("saslauthd/saslauthd.service", mechanism="ldap", workers=3).splitlines()
    (start,) = [line for line in unit if line.startswith("ExecStart=")]
    conf = "${CREDENTIALS_DIRECTORY}/saslauthd.conf"
    assert start == f"ExecStart=/usr/sbin/saslauthd -a ldap -O {conf} -m /run/saslauthd -n 3"
    assert "Group=sasl" in unit
    assert "RuntimeDirectoryMode=0710" in unit


def test_pam_needs_root_and_no_file_of_the_directory() -> None:
    unit = render("saslauthd/saslauthd.service", mechanism="pam", workers=5).splitlines()
    assert "ExecStart=/usr/sbin/saslauthd -a pam -m /run/saslauthd -n 5" in unit
    assert "User=root" in unit
    assert "CapabilityBoundingSet=" in unit
    assert not [line for line in unit if line.startswith(("DynamicUser", "LoadCredential", "PrivateUsers"))]


def test_pam_asks_the_operators_modules_in_their_order() -> None:
    login = SaslauthdPam(auth=("sufficient pam_unix.so", "required pam_sss.so use_first_pass"))
    assert render("saslauthd/pam", login=login).splitlines()[1:] == [
        "auth sufficient pam_unix.so",
        "auth required pam_sss.so use_first_pass",
        "account required pam_unix.so",
    ]


def test_smtpd_offers_what_saslauthd_can_check_and_nothing_else() -> None:
    conf = render("sasl/smtpd.conf", lines=saslauthd.ASKED.smtpd_conf, mechanisms=saslauthd.MECHANISMS)
    _, text = conf.split("\n", 1)
    assert text == "pwcheck_method: saslauthd\nsaslauthd_path: /run/saslauthd/mux\nmech_list: PLAIN LOGIN\n"


def test_policies_stand_a_line_each() -> None:
    policies = {"b.example": "encrypt", "[a.example]:587": "secure match=nexthop"}
    lines = render("postfix/tls_policy", policies=policies).splitlines()
    assert lines[1:] == ["[a.example]:587 secure match=nexthop", "b.example encrypt"]


@pytest.mark.parametrize(
    "template",
    [
        "saslauthd/saslauthd.conf",
        "saslauthd/saslauthd.service",
        "postfix/tls_policy",
        "postfix/privacy.pcre",
    ],
)
def test_value_that_is_missing_is_an_error_and_no_empty_line(template: str) -> None:
    with pytest.raises(UndefinedError):
        render(template)
