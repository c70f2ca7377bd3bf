"""The files that are ours say what the settings say, character by character."""

import pytest
from jinja2 import UndefinedError
from pydantic import SecretStr

from tasks.host.templates import render
from tasks.login import link
from tasks.login.command_line import command_line
from tasks.login.libsasl import SMTPD_CONF
from tasks.login.saslauthd import daemon, ldap
from tasks.part import File
from tasks.settings import SaslauthdLdap, SaslauthdPam
from tests.unit.examples import LOGIN

ODD = "100% {{ x }} $HOME `id` \\ \"'<&> ä#"
SEARCHING = SaslauthdLdap(
    servers=["ldap://a.example.org", "ldap://[2001:db8::1]:389"],
    search_base="ou=Müller & Söhne,dc=example",
    filter="(&(uid=%u)(objectClass=person))",
    scope="one",
    timeout=1,
    workers=3,
    bind_dn="cn=relay,dc=example",
    bind_password_file="secret",
)


def saslauthd_conf(login: SaslauthdLdap, bind_password: str = "") -> dict[str, str]:
    """Render saslauthd.conf and read it back."""
    text = ldap.conf(login, SecretStr(bind_password))
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def test_saslauthd_searches_anonymously_by_default() -> None:
    assert saslauthd_conf(LOGIN) == {
        "ldap_servers": "ldapi://%2Frun%2Fquietrelay-ldap%2Fdirectory",
        "ldap_version": "3",
        "ldap_auth_method": "bind",
        "ldap_search_base": "ou=People,dc=example,dc=org",
        "ldap_scope": "sub",
        "ldap_filter": "(uid=%u)",
        "ldap_timeout": "7",
        "ldap_restart": "yes",
        "ldap_start_tls": "no",
    }


def test_saslauthd_gets_the_settings_unchanged() -> None:
    conf = saslauthd_conf(SEARCHING, bind_password=ODD)
    assert conf["ldap_search_base"] == "ou=Müller & Söhne,dc=example"
    assert conf["ldap_filter"] == "(&(uid=%u)(objectClass=person))"
    assert conf["ldap_scope"] == "one"
    assert conf["ldap_timeout"] == "5"
    assert conf["ldap_bind_dn"] == "cn=relay,dc=example"
    assert conf["ldap_password"] == ODD


def unit(**values: object) -> list[str]:
    """Render saslauthd's unit."""
    common = {"gate": "/gate.py", "arguments": ["--a", '"--b=c d"'], "credential": "", "after": ""}
    return render("login/saslauthd/saslauthd.service", **common | values).splitlines()


def test_saslauthd_is_started_by_the_gate_and_shows_its_socket_to_its_group_alone() -> None:
    lines = unit(unprivileged=True, credential="saslauthd.conf:/etc/saslauthd.conf")
    assert 'ExecStart=/usr/bin/python3 -I /gate.py --a "--b=c d"' in lines
    assert "LoadCredential=saslauthd.conf:/etc/saslauthd.conf" in lines
    assert "DynamicUser=yes" in lines
    assert "Group=sasl" in lines
    assert "RuntimeDirectoryMode=0710" in lines


def test_pam_needs_root_and_no_file_of_the_directory() -> None:
    lines = unit(unprivileged=False)
    assert "User=root" in lines
    assert "CapabilityBoundingSet=" in lines
    assert not [line for line in lines if line.startswith(("DynamicUser", "LoadCredential", "PrivateUsers"))]


def test_the_gate_is_told_what_the_settings_say() -> None:
    login = SaslauthdLdap(
        servers=["ldaps://a"],
        search_base="dc=example",
        auth_method="fastbind",
        names="both",
        domains=["a.test", "b.test"],
        cache_seconds=9,
    )
    assert command_line(ldap.arguments(login)) == [
        *(
            "--mechanism=ldap",
            "--workers=5",
            "--cache=9",
            "--names=both",
            "--domain=a.test",
            "--domain=b.test",
        ),
        *('"--without=,+\\"\\\\<>;=#"', "--longest-password=127", "--afresh"),
    ]


def test_the_link_is_told_what_the_settings_say() -> None:
    assert command_line(link.arguments(SEARCHING, "/etc/ca.pem")) == [
        "--ca=/etc/ssl/certs/ca-certificates.crt",
        "--own=cn=relay,dc=example",
        "--answered=1",
        "--server=ldap://a.example.org",
        "--server=ldap://[2001:db8::1]:389",
    ]
    here = SaslauthdLdap(servers=["ldap://127.0.0.1"], search_base="o=x", start_tls=False, ca_file="mine.pem")
    assert command_line(link.arguments(here, "/etc/ca.pem")) == [
        "--ca=/etc/ca.pem",
        "--answered=3",
        "--plain",
        "--server=ldap://127.0.0.1",
    ]


def test_systemd_reads_nothing_into_an_argument() -> None:
    (word,) = command_line({"x": "%n $HOME \"a\" 'b' \\t"})
    assert word == '"--x=%%n $$HOME \\"a\\" \'b\' \\\\t"'


def test_pam_asks_the_operators_modules_in_their_order() -> None:
    login = SaslauthdPam(auth=("sufficient pam_unix.so", "required pam_sss.so use_first_pass"))
    assert render("login/saslauthd/pam", login=login).splitlines()[1:] == [
        "auth sufficient pam_unix.so",
        "auth required pam_sss.so use_first_pass",
        "account required pam_unix.so",
    ]


def test_smtpd_offers_what_saslauthd_can_check_and_nothing_else() -> None:
    conf = daemon.part({}, unprivileged=True).files[SMTPD_CONF]
    assert isinstance(conf, File)
    _, text = str(conf.content()).split("\n", 1)
    assert text == "pwcheck_method: saslauthd\nsaslauthd_path: /run/saslauthd/mux\nmech_list: PLAIN LOGIN\n"


def test_policies_stand_a_line_each() -> None:
    policies = {"b.example": "encrypt", "[a.example]:587": "secure match=nexthop"}
    lines = render("tls/tls_policy", policies=policies).splitlines()
    assert lines[1:] == ["[a.example]:587 secure match=nexthop", "b.example encrypt"]


@pytest.mark.parametrize(
    "template",
    [
        "login/saslauthd/saslauthd.conf",
        "login/saslauthd/saslauthd.service",
        "tls/tls_policy",
        "privacy/privacy.pcre",
    ],
)
def test_value_that_is_missing_is_an_error_and_no_empty_line(template: str) -> None:
    with pytest.raises(UndefinedError):
        render(template)
