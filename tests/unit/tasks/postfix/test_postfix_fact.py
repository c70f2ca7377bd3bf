"""What postconf prints is understood, however an admin writes main.cf and master.cf."""

import pytest

from tasks.postfix.facts import parse

# From Debian 12's Postfix, shortened, with an admin's lines added.
POSTCONF = """\
[known]
2bounce_notice_recipient myhostname smtpd_tls_chain_files smtpd_relay_restrictions
[main]
compatibility_level = 3.6
relayhost =
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
virtual_alias_maps = ldap:{ server_host = ldap://ldap, search_base = dc=example }
[defaults]
smtp_tls_session_cache_database =
relayhost =
[filtering]
/etc/postfix/header_checks
[services]
smtp       inet  n       -       y       -       -       smtpd
submission inet  n       -       n       -       -       smtpd -o syslog_name=postfix/$service_name
127.0.0.1:10587 inet n - n - - smtpd
[::1]:10025 inet n       -       n       -       -       smtpd -o relayhost=[mx.example.org]
pickup     unix  n       -       y       60      1       pickup
maildrop   unix  -       n       n       -       -       pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop
policy     unix  -       n       n       -       0       spawn user=nobody argv=/usr/bin/policy --a [b]
[options]
submission/inet/syslog_name = postfix/$service_name
submission/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject
submission/inet/smtpd_recipient_restrictions =
127.0.0.1:10587/inet/mynetworks = 127.0.0.1/32
[::1]:10025/inet/relayhost = [mx.example.org]
"""

SAYS = parse(POSTCONF.splitlines())


def test_defaults_of_what_is_set_and_tables_that_filter() -> None:
    assert SAYS["defaults"] == {"smtp_tls_session_cache_database": "", "relayhost": ""}
    assert SAYS["filtering"] == ["/etc/postfix/header_checks"]


def test_known_parameters() -> None:
    assert SAYS["known"] == [
        "2bounce_notice_recipient",
        "myhostname",
        "smtpd_tls_chain_files",
        "smtpd_relay_restrictions",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relayhost", ""),
        ("smtpd_banner", "$myhostname ESMTP $mail_name (Debian/GNU)"),
        ("virtual_alias_maps", "ldap:{ server_host = ldap://ldap, search_base = dc=example }"),
    ],
)
def test_values_keep_their_blanks_and_equals_signs(name: str, value: str) -> None:
    assert SAYS["main"][name] == value


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("smtp/inet", "smtp inet n - y - - smtpd"),
        ("submission/inet", "submission inet n - n - - smtpd"),
        ("127.0.0.1:10587/inet", "127.0.0.1:10587 inet n - n - - smtpd"),
        ("[::1]:10025/inet", "[::1]:10025 inet n - n - - smtpd"),
        ("pickup/unix", "pickup unix n - y 60 1 pickup"),
        ("maildrop/unix", "maildrop unix - n n - - pipe"),
        ("policy/unix", "policy unix - n n - 0 spawn"),
    ],
)
def test_services_have_eight_fields_and_no_arguments(key: str, entry: str) -> None:
    assert SAYS["services"][key] == entry.split()


def test_options_belong_to_their_service() -> None:
    assert SAYS["options"] == {
        "submission/inet": {
            "syslog_name": "postfix/$service_name",
            "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
            "smtpd_recipient_restrictions": "",
        },
        "127.0.0.1:10587/inet": {"mynetworks": "127.0.0.1/32"},
        "[::1]:10025/inet": {"relayhost": "[mx.example.org]"},
    }


def test_postfix_without_settings_of_its_own() -> None:
    says = parse(
        ["[known]", "mail_version", "[main]", "[defaults]", "[filtering]", "[services]", "[options]"]
    )
    empty: dict[str, object] = {
        "main": {},
        "defaults": {},
        "filtering": [],
        "entries": {},
        "services": {},
        "options": {},
    }
    assert says == {"known": ["mail_version"], **empty}
