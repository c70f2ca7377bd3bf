"""A host where somebody else is in Postfix's place is refused, with a remedy."""

import re

import pytest

from tasks.host.facts.host import UNKNOWN, HostSays
from tasks.settings import Relay
from tasks.smtpd import part as smtpd
from tests.unit.examples import HOSTNAME

EXIM = {"exim4": "exim4-daemon-light"}
REPLACING = Relay(hostname=HOSTNAME, replace_mail_server=True)


def complaints(
    listeners: dict[str, str],
    mail_servers: list[str],
    relay: Relay = Relay(hostname=HOSTNAME),  # noqa: B008
) -> list[str]:
    """Hear what the part complains of, in front of a host with these."""
    found: HostSays = {**UNKNOWN, "listeners": listeners, "mail_servers": mail_servers}
    return list(smtpd.complain(relay, found))


@pytest.mark.parametrize(
    ("listeners", "mail_servers", "expected"),
    [
        ({}, [], []),
        (
            EXIM,
            ["exim4-base", "exim4-daemon-light"],
            [
                "another mail server is installed (exim4-base, exim4-daemon-light); "
                "remove it, or allow that with Relay(replace_mail_server=True)"
            ],
        ),
        (
            {"haproxy": "haproxy", "python3": "python3.11-minimal"},
            [],
            ["haproxy, python3 listens on 25, 465 or 587; stop it, and keep it from starting"],
        ),
        (
            {"another instance of Postfix, /etc/postfix-out,": "postfix"},
            [],
            [
                "another instance of Postfix, /etc/postfix-out, listens on 25, 465 or 587; stop it, and keep "
                "it from starting"
            ],
        ),
    ],
    ids=["nobody", "mail server", "others", "instance"],
)
def test_unfit_host_is_refused_with_a_remedy(
    listeners: dict[str, str], mail_servers: list[str], expected: list[str]
) -> None:
    assert complaints(listeners, mail_servers) == expected


def test_mail_server_may_be_replaced_where_that_is_allowed() -> None:
    assert complaints(EXIM, ["exim4-daemon-light"], REPLACING) == []


def test_what_does_not_go_with_the_mail_server_keeps_its_port_and_is_refused() -> None:
    (complaint,) = complaints(EXIM | {"haproxy": "haproxy"}, ["exim4-daemon-light"], REPLACING)
    assert complaint.startswith("haproxy listens")


@pytest.mark.parametrize(
    "parameter",
    [
        "smtpd_delay_reject",
        "smtpd_discard_ehlo_keywords",
        "smtpd_forbidden_commands",
        "smtpd_sasl_exceptions_networks",
        "smtpd_sasl_mechanism_filter",
        "smtpd_tls_req_ccert",
        "smtpd_tls_wrappermode",
        "smtpd_upstream_proxy_protocol",
        "smtpd_of_some_later_release",
    ],
)
def test_what_may_keep_users_out_is_not_inherited(parameter: str) -> None:
    assert not re.fullmatch(smtpd.INHERITED, parameter)


@pytest.mark.parametrize(
    "parameter",
    [
        "content_filter",
        "smtpd_client_event_limit_exceptions",
        "smtpd_client_message_rate_limit",
        "smtpd_error_sleep_time",
        "smtpd_data_restrictions",
        "smtpd_milters",
        "smtpd_policy_service_default_action",
        "smtpd_timeout",
        "smtpd_tls_loglevel",
    ],
)
def test_what_limits_or_filters_users_is_the_admins(parameter: str) -> None:
    assert re.fullmatch(smtpd.INHERITED, parameter)
