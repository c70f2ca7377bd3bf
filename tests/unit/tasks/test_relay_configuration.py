"""What the parts together want of Postfix: who may send, over what, and what is told about them."""

import re
from collections.abc import Mapping

import pytest

from deploy import relay as desired
from tasks.host.facts.host import UNKNOWN
from tasks.inventory.section import Section, SettingsError
from tasks.postfix.configuration import Configuration, Service
from tasks.privacy import part as privacy
from tasks.settings import (
    CertificateFiles,
    CertificateOnHost,
    ClientTls,
    OwnCa,
    ServerTls,
    Settings,
    Submission,
)
from tasks.smtpd import part as postfix
from tests.unit.examples import HOSTNAME, LOGIN, relay_with

MACHINE_ID = "0123456789abcdef"
MARK = privacy.mark_for(MACHINE_ID)
PLAIN = relay_with()
UNUSUAL = relay_with(
    login=LOGIN.model_copy(update={"names": "both"}),
    submission=Submission(auth_on_25=False, broken_sasl_auth_clients=True, local_domain="example.org"),
    certificate=CertificateOnHost(certificate="/etc/relay/fullchain.pem", key="/etc/relay/privkey.pem"),
    server_tls=ServerTls(log_level=2, received_header=False, session_cache=False),
    client_tls=ClientTls(security_level="dane", ca_file="/etc/cas.pem", log_level=3, session_cache=False),
)
USER_SERVICES = ("submission/inet", "submissions/inet")


def wanted(relay: Settings = PLAIN) -> Configuration:
    """Merge what all parts say."""
    return desired(relay, {**UNKNOWN, "machine_id": MACHINE_ID}).postfix


def says(values: Mapping[str, str | None], **expected: str | None) -> bool:
    """Tell whether these values are all there."""
    return {name: values.get(name, "nothing") for name in expected} == expected


class TestOldDevices:
    """A port for devices that know no TLS of today, which is no other port's affair."""

    SETTINGS = relay_with(submission=Submission(insecure_tls_port=2525))

    def test_by_default_there_is_none(self) -> None:
        assert not [key for key in wanted().services if "2525" in key]
        assert wanted().parameters == wanted(self.SETTINGS).parameters

    def test_it_promises_what_587_does_but_for_tls(self) -> None:
        options = dict(wanted(self.SETTINGS).options["2525/inet"])
        ours = {"syslog_name", "tls_medium_cipherlist", "smtpd_tls_mandatory_protocols"}
        ours |= {"smtpd_tls_mandatory_ciphers"}
        submission = dict(wanted(self.SETTINGS).options["submission/inet"])
        assert submission == dict(wanted().options["submission/inet"])
        assert {name: value for name, value in options.items() if name not in ours} == {
            name: value for name, value in submission.items() if name not in ours
        }
        assert options["smtpd_tls_security_level"] == "encrypt"
        assert options["smtpd_tls_mandatory_protocols"] == ">=TLSv1"

    @pytest.mark.parametrize("port", [25, 465, 587, 10587])
    def test_the_relays_own_ports_stay_what_they_are(self, port: int) -> None:
        with pytest.raises(SettingsError, match="is one of the relay's own ports; take another one"):
            Submission(insecure_tls_port=port)


class TestLogin:
    def test_passwords_are_asked_for_over_tls_only_and_stay_out_of_the_mail(self) -> None:
        assert says(
            wanted().parameters,
            smtpd_sasl_auth_enable="yes",
            smtpd_sasl_type="cyrus",
            smtpd_sasl_security_options="noanonymous",
            smtpd_sasl_local_domain="",
            smtpd_sasl_authenticated_header="no",
            broken_sasl_auth_clients="no",
            smtpd_tls_auth_only="yes",
            cyrus_sasl_config_path="/etc/postfix/sasl",
        )

    def test_settings_of_the_login_reach_postfix(self) -> None:
        parameters = wanted(UNUSUAL).parameters
        assert says(parameters, broken_sasl_auth_clients="yes", smtpd_sasl_local_domain="example.org")

    def test_login_on_25_can_be_switched_off_and_on_again(self) -> None:
        assert wanted(UNUSUAL).options["smtp/inet"]["smtpd_sasl_auth_enable"] == "no"
        assert wanted().options["smtp/inet"]["smtpd_sasl_auth_enable"] is None

    @pytest.mark.parametrize("key", ["smtp/inet", *USER_SERVICES])
    def test_smtpd_reaches_saslauthd_from_outside_the_chroot(self, key: str) -> None:
        assert wanted().services[key] == Service("smtpd", "n", "n", shipped=key == "smtp/inet")


class TestRelaying:
    @pytest.mark.parametrize("relay", [PLAIN, UNUSUAL], ids=["plain", "unusual"])
    @pytest.mark.parametrize("key", USER_SERVICES)
    def test_465_and_587_are_for_users_alone(self, relay: Settings, key: str) -> None:
        assert wanted(relay).options[key].items() >= postfix.USERS_ONLY.items()
        assert says(
            wanted(relay).options[key],
            smtpd_sasl_auth_enable="yes",
            smtpd_client_restrictions="permit_sasl_authenticated,reject",
            smtpd_relay_restrictions="permit_sasl_authenticated,reject",
            smtpd_tls_security_level="encrypt",
        )

    def test_only_465_begins_with_tls(self) -> None:
        options = wanted().options
        wrapped = {key for key in options if "smtpd_tls_wrappermode" in options[key]}
        assert wrapped == {"submissions/inet"}
        assert options["submissions/inet"]["smtpd_tls_wrappermode"] == "yes"

    def test_strangers_on_25_reach_our_own_recipients_only(self) -> None:
        restrictions = wanted().parameters["smtpd_relay_restrictions"]
        assert restrictions == "permit_sasl_authenticated, reject_unauth_destination"

    def test_an_address_lets_nobody_in_but_the_relay_itself(self) -> None:
        trusting = {
            key
            for key, options in wanted().options.items()
            if "permit_mynetworks" in " ".join(filter(None, options.values()))
        }
        assert trusting == {privacy.LOOPBACK + "/inet"}
        assert says(
            wanted().options[privacy.LOOPBACK + "/inet"],
            mynetworks="127.0.0.1/32",
            smtpd_client_restrictions="permit_mynetworks,reject",
            smtpd_relay_restrictions="permit_mynetworks,reject",
        )

    def test_nothing_else_takes_the_ports(self) -> None:
        removed = {key for key, service in wanted().services.items() if service is None}
        assert removed == {"smtps/inet", "465/inet", "587/inet"}

    def test_messages_end_where_the_standard_says(self) -> None:
        assert says(
            wanted().parameters,
            smtpd_forbid_bare_newline="yes",
            smtpd_forbid_bare_newline_exclusions="",
            smtpd_forbid_unauth_pipelining="yes",
        )


class TestTls:
    def test_old_parameters_give_way(self) -> None:
        assert says(
            wanted().parameters,
            smtpd_use_tls=None,
            smtpd_tls_cert_file=None,
            smtpd_tls_key_file=None,
            smtp_use_tls=None,
            smtp_tls_per_site=None,
        )

    def test_nothing_older_than_tls_1_2_is_spoken(self) -> None:
        assert says(
            wanted().parameters,
            smtpd_tls_security_level="may",
            smtpd_tls_protocols=">=TLSv1.2",
            smtpd_tls_mandatory_protocols=">=TLSv1.2",
        )

    def test_settings_of_tls_reach_postfix(self) -> None:
        assert says(
            wanted(UNUSUAL).parameters,
            smtpd_tls_loglevel="2",
            smtpd_tls_received_header="no",
            smtpd_tls_session_cache_database="",
            smtp_tls_security_level="dane",
            smtp_dns_support_level="dnssec",
            smtp_tls_CAfile="/etc/cas.pem",
            smtp_tls_loglevel="3",
            smtp_tls_session_cache_database="",
        )

    def test_dns_is_the_admins_where_dane_does_not_need_it(self) -> None:
        assert "smtp_dns_support_level" not in wanted().parameters

    @pytest.mark.parametrize(
        ("certificate", "files"),
        [
            (CertificateFiles(certificate="a.pem", key="a.key"), "/etc/postfix/tls/given.pem"),
            (UNUSUAL.certificate, "/etc/postfix/tls/on-host.pem"),
            (OwnCa(), "/etc/postfix/tls/relay.pem"),
        ],
        ids=["files", "on host", "own CA"],
    )
    def test_key_and_certificate_are_in_one_file_of_each_source(
        self, certificate: Section, files: str
    ) -> None:
        relay = relay_with(certificate=certificate)
        assert wanted(relay).parameters["smtpd_tls_chain_files"] == files


class TestPrivacy:
    @pytest.mark.parametrize("key", [*USER_SERVICES, privacy.LOOPBACK + "/inet"])
    def test_users_mail_goes_through_the_rules_for_its_trace_header(self, key: str) -> None:
        configuration = wanted()
        assert says(
            configuration.options[key],
            cleanup_service_name=privacy.CLEANUP,
            mail_name=MARK,
            smtpd_hide_client_session="yes",
        )
        assert configuration.services[f"{privacy.CLEANUP}/unix"] == Service("cleanup", process_limit="0")
        assert "smtpd_hide_client_session" in configuration.where_known

    def test_attached_messages_keep_their_headers(self) -> None:
        assert says(
            wanted().options[f"{privacy.CLEANUP}/unix"],
            header_checks=privacy.CHECKS,
            mime_header_checks=privacy.CHECKS,
            milter_header_checks=privacy.CHECKS,
            disable_mime_input_processing="yes",
            nested_header_checks="",
            body_checks="$quietrelay_receipts",
        )

    def test_strangers_mail_on_25_keeps_its_trace(self) -> None:
        assert not {"cleanup_service_name", "mail_name", "smtpd_hide_client_session"} & {
            *wanted().options["smtp/inet"],
            *wanted().parameters,
        }

    def test_users_mail_on_25_takes_the_detour_and_is_not_handed_on_elsewhere(self) -> None:
        configuration = wanted()
        assert configuration.options["smtp/inet"]["smtpd_data_restrictions"] == "$quietrelay_user_mail"
        action = configuration.parameters["quietrelay_user_mail"]
        assert action == "check_sasl_access static:{FILTER anonymize:[127.0.0.1]:10587}"
        assert configuration.services["anonymize/unix"] == Service("smtp", private="-")
        assert configuration.services["127.0.0.1:10587/inet"] == Service("smtpd")

    def test_mark_is_the_hosts_own_and_tells_nothing_of_it(self) -> None:
        machines = [f"{number:032x}" for number in range(50)]
        marks = {privacy.mark_for(machine) for machine in machines}
        assert len(marks) == len(machines)
        assert marks == {privacy.mark_for(machine) for machine in machines}
        assert all(re.fullmatch(r"mark-[0-9a-f]{32}", mark) for mark in marks)
        assert not [machine for machine in machines if machine in " ".join(marks)]


@pytest.mark.parametrize("relay", [PLAIN, UNUSUAL], ids=["plain", "unusual"])
def test_values_are_what_postconf_can_write_and_prints_again(relay: Settings) -> None:
    configuration = wanted(relay)
    for options in configuration.options.values():  # postconf(1): -P takes no blanks
        assert not [name for name, value in options.items() if value and re.search(r"\s", value)]
    for value in filter(None, configuration.parameters.values()):
        assert value == " ".join(value.split())


def test_relay_greets_by_its_name_and_does_not_tell_its_software() -> None:
    assert says(wanted().parameters, myhostname=HOSTNAME, smtpd_banner="$myhostname ESMTP")
