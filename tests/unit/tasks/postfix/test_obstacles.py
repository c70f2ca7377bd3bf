"""What would lead users' mail round its rewriting, or stop all mail, is refused by name and with a remedy."""

from typing import cast

import pytest

from deploy import relay
from tasks.firewall.facts import Firewall
from tasks.host.facts.host import UNKNOWN
from tasks.inventory.section import Section
from tasks.part import Ask
from tasks.postfix.configuration import Postconf
from tasks.postfix.facts import PostfixSays
from tasks.settings import ClientTls, Settings, Submission
from tests.unit.examples import relay_with

SERVICES = {
    "smtp/inet": ["smtp", "inet", "n", "-", "y", "-", "-", "smtpd"],
    "smtp/unix": ["smtp", "unix", "-", "-", "y", "-", "-", "smtp"],
    "relay/unix": ["relay", "unix", "-", "-", "y", "-", "-", "smtp"],
    "lmtp/unix": ["lmtp", "unix", "-", "-", "y", "-", "-", "lmtp"],
}
PROXY = {"smtpd_proxy_filter": "127.0.0.1:10025"}
WRAPPED = {"smtp_tls_wrappermode": "yes"}
SMARTHOST = {"relayhost": "[smtp.example.com]:465"}
# Of Postfix 3.7 and 3.10, what may stand between a client and the queue.
PASSAGES = [
    *("body_checks", "header_checks", "milter_header_checks", "mime_header_checks", "nested_header_checks"),
    *("body_checks_size_limit", "receive_override_options", "smtp_header_checks", "smtp_dns_reply_filter"),
    *("smtpd_proxy_filter", "smtpd_proxy_ehlo", "smtpd_proxy_options", "smtpd_proxy_timeout"),
    *("smtpd_upstream_proxy_protocol", "smtpd_upstream_proxy_timeout", "smtpd_command_filter"),
    *("smtpd_dns_reply_filter", "smtpd_expansion_filter", "smtpd_sasl_mechanism_filter", "content_filter"),
    *("default_filter_nexthop", "default_delivery_status_filter", "duplicate_filter_limit"),
    *("internal_mail_filter_classes", "verp_delimiter_filter", "command_expansion_filter"),
    *("execution_directory_expansion_filter", "forward_expansion_filter"),
    *("proxy_interfaces", "proxy_read_maps", "proxy_write_maps"),
]
NOT_ON_25 = Submission(auth_on_25=False)


def complaint(
    main: dict[str, str] | None = None,
    options: dict[str, dict[str, str]] | None = None,
    filtering: list[str] | None = None,
    services: dict[str, list[str]] | None = None,
    known: tuple[str, ...] = (),
    **sections: Section,
) -> str:
    """Judge a host with these settings in main.cf and master.cf."""
    found = Postconf(
        known=[*PASSAGES, *known],
        main=main or {},
        entries={},
        services=SERVICES | (services or {}),
        options=options or {},
        defaults={},
        filtering=filtering or [],
    )
    return next(iter(complaints(found, relay_with(**sections))), "")


def complaints(found: Postconf | None, settings: Settings) -> list[str]:
    """Hear what the parts complain of, on a host whose postconf says so, and that has no firewall."""
    says = {PostfixSays: found, Firewall: {"broken": "", "foreign": []}}
    ask = cast(Ask, lambda fact, **arguments: says[fact])
    return [words for of_part in relay(settings, UNKNOWN).complaints.values() for words in of_part(ask)]


def test_debians_own_postfix_and_none_at_all_are_built_on() -> None:
    assert complaint({"relayhost": "", "mynetworks": "127.0.0.0/8"}) == ""
    assert complaints(None, relay_with()) == []


def test_proxy_in_main_cf_is_named() -> None:
    assert complaint(PROXY) == (
        "main.cf has smtpd_proxy_filter = 127.0.0.1:10025, which leads users' mail round the rewriting of "
        "its headers; remove it there: postconf -X smtpd_proxy_filter"
    )


@pytest.mark.parametrize("service", ["smtp/inet", "submission/inet", "submissions/inet"])
def test_proxy_of_a_service_for_users_is_named(service: str) -> None:
    said = complaint(options={service: PROXY})
    assert said.startswith(f"{service} in master.cf has smtpd_proxy_filter = 127.0.0.1:10025, ")
    assert said.endswith(f"postconf -PX {service}/smtpd_proxy_filter")


def test_proxy_that_no_user_meets_is_the_admins() -> None:
    assert complaint(options={"10025/inet": PROXY}) == ""
    assert complaint(options={"smtp/inet": PROXY}, submission=NOT_ON_25) == ""
    nowhere = {"smtpd_proxy_filter": ""}
    services = ["smtp/inet", "submission/inet", "submissions/inet"]
    assert complaint(PROXY, dict.fromkeys(services, nowhere)) == ""
    assert complaint(PROXY, dict.fromkeys(services[:-1], nowhere)).startswith("main.cf has")


@pytest.mark.parametrize("service", ["", "smtp/inet", "submission/inet"])
def test_what_may_lead_round_and_nobody_has_judged_is_named(service: str) -> None:
    new = {"smtpd_swift_filter": "inet:192.0.2.1:9"}
    said = complaint(new, known=(*new,)) if not service else complaint(options={service: new}, known=(*new,))
    assert said.startswith(f"{service or 'main.cf'}")
    assert "has smtpd_swift_filter = inet:192.0.2.1:9, which leads users' mail round" in said
    assert complaint(new) == "", "a name that this Postfix does not know is the admin's own"


def test_of_what_postfix_has_today_only_detours_are_refused() -> None:
    found = {name for name in PASSAGES if complaint({name: "no_milters FILTER"})}
    tables = {"body_checks", "header_checks", "milter_header_checks", "mime_header_checks"}
    assert found == {*tables, "nested_header_checks", "receive_override_options", "smtpd_proxy_filter"}


UNCHECKED = {"receive_override_options": "no_address_mappings,no_header_body_checks"}
LATE = {"smtpd_end_of_data_restrictions": "check_sender_access hash:/etc/postfix/late"}
FILTERING = {"header_checks": "regexp:/etc/postfix/to_amavis, pcre:/etc/postfix/filter"}


@pytest.mark.parametrize("service", ["", "submission/inet", "submissions/inet"])
def test_headers_that_would_not_be_checked_are_named(service: str) -> None:
    said = complaint(options={service: UNCHECKED}) if service else complaint(UNCHECKED)
    assert said.startswith(f"{service or 'main.cf'}")
    assert "receive_override_options = no_address_mappings,no_header_body_checks, which leads" in said
    assert complaint({"receive_override_options": "no_address_mappings"}) == ""


@pytest.mark.parametrize(
    "main",
    [
        *(LATE, FILTERING, {"body_checks": "pcre:{{/^x/ FILTER a:b}}"}),
        {"milter_header_checks": "pcre:/etc/postfix/filter"},
    ],
    ids=["after the data", "table", "inline", "milter's"],
)
def test_what_may_filter_users_mail_on_25_elsewhere_is_named(main: dict[str, str]) -> None:
    said = complaint(main, filtering=["/etc/postfix/filter"])
    ((name, value),) = main.items()
    assert said.startswith(f"main.cf has {name} = {value}, which leads users' mail round")
    assert said.endswith(f"postconf -X {name}, or Submission(auth_on_25=False)")
    assert complaint(main, filtering=["/etc/postfix/filter"], submission=NOT_ON_25) == ""


def test_checks_that_do_not_filter_are_the_admins() -> None:
    assert complaint(FILTERING, filtering=["/etc/postfix/another"]) == ""


@pytest.mark.parametrize(
    ("name", "port"),
    [("192.0.2.1:smtp", 25), ("25", 25), ("127.0.0.1:587", 587), ("[::1]:submissions", 465), ("urd", 465)],
)
def test_a_second_service_at_a_port_of_ours_is_named(name: str, port: int) -> None:
    entry = [name, "inet", "n", "-", "y", "-", "-", "smtpd"]
    said = complaint(services={f"{name}/inet": entry})
    assert said == (
        f"master.cf has {name} inet, which listens on port {port} beside ours, so that Postfix could not "
        f"start; remove it: postconf -MX {name}/inet"
    )


@pytest.mark.parametrize("disabled", ["inet", "foo, submission.inet", "submission/inet"])
def test_services_that_are_switched_off_are_named(disabled: str) -> None:
    said = complaint({"master_service_disable": disabled})
    assert said.startswith(f"main.cf has master_service_disable = {disabled}, which keeps ")
    assert said.endswith("postconf -X master_service_disable")


@pytest.mark.parametrize("level", ["none", "may"])
def test_smarthost_that_would_get_no_mail_is_named(level: str) -> None:
    said = complaint(WRAPPED | SMARTHOST, client_tls=ClientTls.model_validate({"security_level": level}))
    assert said == (
        "main.cf has smtp_tls_wrappermode = yes, which delivers nothing where TLS is optional, as "
        f"client_tls.security_level has it, '{level}'; set ClientTls(security_level='encrypt'), or "
        "ClientTls(policy={'[smtp.example.com]:465': 'encrypt'}) for the smarthost alone, or remove it: "
        "postconf -X smtp_tls_wrappermode"
    )


def test_wrapped_deliveries_of_one_service_are_named_with_it() -> None:
    said = complaint(options={"smtp/unix": {"smtp_tls_wrappermode": "YES"}})
    assert said.startswith("smtp/unix in master.cf has smtp_tls_wrappermode = yes, ")
    assert said.endswith(
        "set ClientTls(security_level='encrypt'), or remove it: postconf -PX smtp/unix/smtp_tls_wrappermode"
    )


@pytest.mark.parametrize(
    ("main", "options", "client"),
    [
        (WRAPPED | SMARTHOST, {}, ClientTls(security_level="encrypt")),
        (WRAPPED | SMARTHOST, {}, ClientTls(security_level="secure")),
        (WRAPPED | SMARTHOST, {}, ClientTls(policy={"[smtp.example.com]:465": "secure match=example.com"})),
        ({}, {"smtp/unix": WRAPPED | {"smtp_tls_security_level": "encrypt"}}, ClientTls()),
        ({"smtp_tls_wrappermode": "no"} | SMARTHOST, {}, ClientTls()),
        ({}, {"lmtp/unix": WRAPPED}, ClientTls()),
    ],
    ids=["encrypt", "secure", "policy", "service's own level", "no", "LMTP"],
)
def test_smarthost_that_gets_its_mail_is_left_alone(
    main: dict[str, str], options: dict[str, dict[str, str]], client: ClientTls
) -> None:
    assert complaint(main, options, client_tls=client) == ""


def test_policy_of_another_destination_does_not_help_the_smarthost() -> None:
    other = ClientTls(policy={"example.net": "encrypt"})
    assert complaint(WRAPPED | SMARTHOST, client_tls=other).startswith("main.cf has smtp_tls_wrappermode")
