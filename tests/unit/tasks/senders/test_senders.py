"""Who may send as whom: what the settings become, and which of the operator's mistakes are refused."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from deploy import relay
from tasks.host.facts.host import UNKNOWN
from tasks.part import Part
from tasks.postfix.configuration import Postconf, calls, changes
from tasks.senders import part as senders_part
from tasks.senders import tables
from tasks.senders.sections import AnySender, Senders, SendersByLogin, SendersFromDirectory, SendersFromFile
from tasks.settings import SaslauthdLdap, SaslauthdPam, SettingsError
from tests.unit.examples import LOGIN, relay_with

CHOICES: list[Senders] = [
    SendersByLogin(domains=["example.org"]),
    SendersFromFile(file="x"),
    SendersFromDirectory(),
]
ELSEWHERE: dict[str, Any] = {"servers": ["ldap://other.example.org"], "search_base": "dc=other"}


def desired(senders: Senders) -> Part:
    """Say what a relay with these senders is."""
    return relay(relay_with(senders=senders), UNKNOWN)


class TestPostfix:
    @pytest.mark.parametrize("senders", CHOICES, ids=lambda choice: type(choice).__name__)
    def test_who_is_logged_in_is_checked_before_he_may_relay(self, senders: Senders) -> None:
        configuration = desired(senders).postfix
        on_25 = str(configuration.parameters["smtpd_relay_restrictions"])
        assert on_25.startswith("check_sasl_access static:{reject_sender_login_mismatch}, permit_sasl")
        assert on_25.endswith("reject_unauth_destination")
        for service in ("submission/inet", "submissions/inet"):
            assert configuration.options[service]["smtpd_relay_restrictions"] == (
                "reject_sender_login_mismatch,permit_sasl_authenticated,reject"
            )

    def test_nobody_is_checked_where_that_is_off(self) -> None:
        configuration = desired(AnySender()).postfix
        assert "mismatch" not in str(configuration)
        assert configuration == relay(relay_with(), UNKNOWN).postfix

    @pytest.mark.parametrize("senders", CHOICES, ids=lambda choice: type(choice).__name__)
    def test_a_table_of_ours_takes_the_place_of_the_admins(self, senders: Senders) -> None:
        parameters = desired(senders).postfix.parameters
        assert parameters["smtpd_sender_login_maps"] == "$quietrelay_senders"
        assert parameters["quietrelay_senders"]

    @pytest.mark.parametrize("senders", CHOICES, ids=lambda choice: type(choice).__name__)
    def test_off_takes_our_table_back_and_leaves_the_admins(self, senders: Senders) -> None:
        former = senders_part.part(senders, "", LOGIN).postfix
        off = senders_part.part(AnySender(), "", LOGIN).postfix

        def changed(table: str) -> list[list[str]]:
            main = {
                "quietrelay_senders": str(former.parameters["quietrelay_senders"]),
                "smtpd_sender_login_maps": table,
                "smtpd_relay_restrictions": str(off.parameters["smtpd_relay_restrictions"]),
            }
            says = Postconf(
                known=list(main), main=main, defaults={}, filtering=[], entries={}, services={}, options={}
            )
            return [command for command in calls(changes(off, says, former)) if command[0] == "-X"]

        assert changed("$quietrelay_senders") == [["-X", "quietrelay_senders", "smtpd_sender_login_maps"]]
        assert changed("hash:/etc/own") == [["-X", "quietrelay_senders"]]

    def test_only_the_directory_takes_a_package(self) -> None:
        packages = [senders_part.part(senders, "", LOGIN).packages for senders in [AnySender(), *CHOICES]]
        assert packages == [(), (), (), ("postfix-ldap",)]


class TestByLogin:
    def test_domains_are_taken_literally_and_nothing_beside_them(self) -> None:
        table = tables.by_login_table(["a.example", "b.example"], "")
        assert r"@(a\.example|b\.example)$$/" in table

    def test_postfix_replaces_its_delimiter_and_nothing_else(self) -> None:
        table = tables.by_login_table(["a.example"], "")
        assert table.replace("$$", "").count("$") == 1
        assert r"[\Q$recipient_delimiter\E\n]" in table

    def test_a_login_to_which_postfix_adds_a_domain_is_still_known(self) -> None:
        assert "$${1}@local.example" in tables.by_login_table(["a.example"], "local.example")
        assert "local" not in tables.by_login_table(["a.example"], "")

    def test_it_takes_a_domain(self) -> None:
        with pytest.raises(SettingsError, match=r"SendersByLogin\.domains: "):
            SendersByLogin(domains=[])


class TestFile:
    def test_addresses_and_logins_are_read_as_an_operator_writes_them(self) -> None:
        text = (
            "# ours\n\nAlice@Example.org\talice\nsales@example.org  alice, bob carol,\n@whole.example bob\n"
        )
        assert tables.parse(text) == {
            "alice@example.org": ["alice"],
            "sales@example.org": ["alice", "bob", "carol"],
            "@whole.example": ["bob"],
        }

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "names no address, so nobody could send"),
            ("# nothing\n", "names no address"),
            ("alice alice@example.org\n", "line 1 does not begin with an address"),
            ("a@example.org alice\n  bob\n", "line 2 does not begin with an address"),
            ("a@b@example.org alice\n", "line 1 does not begin with an address"),
            ('"a b"@example.org alice\n', "line 1 does not begin with an address"),
            ("a@example.org\n", "line 1 names no login"),
            ("a@example.org a\n\nA@Example.org b\n", "line 3 names A@Example.org a second time"),
        ],
    )
    def test_a_file_that_cannot_be_meant_is_refused_by_its_line(self, text: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            tables.parse(text)

    def test_logins_are_written_as_postfix_has_them(self) -> None:
        owners = {"a@example.org": ["alice", "bob@example.net"]}
        assert tables.file_table(owners, "").splitlines()[1:] == ["a@example.org alice, bob@example.net"]
        assert tables.file_table(owners, "local.example").splitlines()[1:] == [
            "a@example.org alice@local.example, bob@example.net"
        ]


class TestDirectory:
    def table(self, senders: SendersFromDirectory, local_domain: str = "") -> dict[str, str]:
        access = senders if senders.servers else LOGIN
        text = senders_part.directory_table(senders, access, local_domain, SecretStr("pa$$ #word"))
        lines = [line.partition(" = ") for line in text.splitlines() if not line.startswith("#")]
        return {name: value for name, _, value in lines}

    def test_the_logins_directory_is_asked_over_tls(self) -> None:
        table = self.table(SendersFromDirectory())
        assert table["server_host"] == "ldaps://ldap.example.org"
        assert table["search_base"] == LOGIN.search_base
        assert (table["start_tls"], table["tls_require_cert"], table["bind"]) == ("no", "yes", "no")
        assert table["tls_ca_cert_file"] == "/etc/ssl/certs/ca-certificates.crt"
        assert table["query_filter"] == "(mail=%s)"
        assert "result_format" not in table

    def test_another_directory_is_asked_with_a_password(self) -> None:
        senders = SendersFromDirectory(
            **ELSEWHERE
            | {"search_base": "o=%d", "bind_dn": "cn=x", "bind_password_file": "x", "ca_file": "x"}
        )
        table = self.table(senders, local_domain="local.example")
        assert table["server_host"] == "ldap://other.example.org"
        assert (table["start_tls"], table["bind"], table["bind_dn"]) == ("yes", "yes", "cn=x")
        assert table["bind_pw"] == "pa$$ #word"
        assert table["search_base"] == "o=%d"
        assert table["tls_ca_cert_file"] == senders_part.DIRECTORY_CA
        assert table["result_format"] == "%s, %s@local.example"

    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ({"filter": "(objectClass=person)"}, "filter has no %s or %u"),
            ({"filter": "(mail=%m%s)"}, "filter: % stands before s, u, d"),
            ({"filter": "(mail=%s%)"}, "filter: % stands before s, u, d"),
            ({"search_base": "o=%r"}, "search_base: % stands before s, u, d"),
            ({"login_attributes": []}, "login_attributes"),
            ({"login_attributes": ["uid, mail"]}, "not the name of an LDAP attribute"),
            (
                {"bind_dn": "cn=x", "bind_password_file": "x"},
                "bind_dn, bind_password_file: of no use without",
            ),
            ({"servers": ["ldap://x"]}, "search_base is missing beside servers"),
            (ELSEWHERE | {"start_tls": False}, "start_tls=False would send passwords in the clear"),
            (ELSEWHERE | {"bind_dn": "cn=x"}, "bind_dn and bind_password_file belong together"),
        ],
    )
    def test_settings_that_cannot_be_meant_are_refused(
        self, settings: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(SettingsError, match=complaint):
            SendersFromDirectory(**settings)

    def test_a_login_without_a_directory_needs_one_for_the_senders(self) -> None:
        with pytest.raises(ValidationError, match="the login, SaslauthdPam, names no directory; name one"):
            relay_with(login=SaslauthdPam(), senders=SendersFromDirectory())
        relay_with(login=SaslauthdPam(), senders=SendersFromDirectory(**ELSEWHERE))

    def test_a_base_that_depends_on_the_login_is_not_taken_over(self) -> None:
        login = SaslauthdLdap(
            servers=["ldap://x"], search_base="o=%r", names="address", domains=["example.org"]
        )
        with pytest.raises(ValidationError, match=r"login\.search_base depends on the login"):
            relay_with(login=login, senders=SendersFromDirectory())
        relay_with(login=login, senders=SendersFromDirectory(search_base="o=%d"))
