"""A mistake in an inventory is found while it is read, and said so that an operator can mend it."""

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pyinfra.api import Host, Inventory

from tasks import settings
from tasks.inventory.section import Section
from tasks.settings import (
    CertificateOnHost,
    ClientTls,
    OwnCa,
    Relay,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    ServerTls,
    SettingsError,
    Submission,
)
from tests.unit.examples import HOSTNAME, LOGIN, relay_with

DIRECTORY: dict[str, Any] = {"servers": ["ldap://ldap.example.org"], "search_base": "dc=example,dc=org"}


def host(name: str = HOSTNAME, **data: Any) -> Host:
    """Make a host with this data, as pyinfra makes it of an inventory."""
    return Inventory(([(name, data)], {})).get_host(name)  # type: ignore[no-untyped-call]


class TestNames:
    def test_misspelled_setting_is_refused_with_what_was_meant(self) -> None:
        with pytest.raises(SettingsError, match=r"Relay\.hostnam is not a setting; did you mean hostname\?"):
            Relay(hostnam=HOSTNAME)  # type: ignore[call-arg]

    def test_unheard_of_setting_is_refused_with_what_there_is(self) -> None:
        with pytest.raises(SettingsError, match=r"OwnCa\.zzz is not a setting; known are: days"):
            OwnCa(zzz=1)  # type: ignore[call-arg]

    def test_missing_setting_is_named(self) -> None:
        with pytest.raises(SettingsError, match=r"SaslauthdLdap\.search_base is missing; add it"):
            SaslauthdLdap(servers=["ldap://ldap.example.org"])  # type: ignore[call-arg]

    def test_several_mistakes_are_said_in_one_line(self) -> None:
        with pytest.raises(SettingsError) as error:
            SaslauthdLdap(servers=["ldap://ldap.example.org"], timeout=0, scop="sub")  # type: ignore[call-arg]
        message = str(error.value)
        assert "\n" not in message
        for setting in ("SaslauthdLdap.search_base", "SaslauthdLdap.timeout", "SaslauthdLdap.scop "):
            assert setting in message


class TestValues:
    @pytest.mark.parametrize(
        "name",
        [
            "",
            "mx1",
            "mx1.",
            "-mx1.example.org",
            "mx_1.example.org",
            "mx1..example.org",
            "mx1.example.org\n",
            "mx1.example.or\u017f",  # LATIN SMALL LETTER LONG S, whose capital is S
            "192.0.2.1",
            "2001:db8::1",
            f"{'a' * 64}.example.org",
            f"{'a.' * 127}org",
        ],
    )
    def test_no_host_name_no_relay(self, name: str) -> None:
        with pytest.raises(SettingsError, match="is not a fully qualified host name; write one like"):
            Relay(hostname=name)

    def test_host_name_is_kept_in_small_letters(self) -> None:
        assert Relay(hostname="MX1.XN--Bcher-kva.Example.org").hostname == "mx1.xn--bcher-kva.example.org"

    @pytest.mark.parametrize(
        "url",
        [
            "ldap.example.org",
            "http://ldap.example.org",
            "ldaps://",
            "ldaps://ldap.example.org:99999",
            "ldaps://ldap.example.org:0",
            "ldaps://[2001:db8::1",
            "ldaps://ldap.example.org/dc=example",
            "ldaps://ldap.example.org?uid",
            "ldaps://ldap.example.org#x",
            "ldaps://ldap.example.org ldaps://other.example.org",
            "ldaps://ldap example.org",
            "ldapi:///run/slapd/ldapi",
            "ldapi://run",
            "ldaps://ldap.example.org\n",
            "ldaps://cn=relay:pa55word@ldap.example.org",
            "ldaps://cn=relay:pa55word@ldap.example.org:99999",
        ],
    )
    def test_what_is_no_directory_server_is_refused_with_a_remedy_and_without_its_password(
        self, url: str
    ) -> None:
        with pytest.raises(SettingsError, match=r"servers\.0: .*write one like ldaps://") as error:
            SaslauthdLdap(servers=[url], search_base="dc=example")
        assert "pa55word" not in str(error.value)

    @pytest.mark.parametrize(
        "url",
        [
            "ldap://ldap",
            "ldaps://ldap.example.org:636/",
            "ldap://[2001:db8::1]:389",
            "ldapi:///",
            "ldapi://%2Frun%2Fslapd%2Fldapi",
        ],
    )
    def test_a_directory_server_goes_by_name_or_address(self, url: str) -> None:
        assert SaslauthdLdap(servers=[url], search_base="dc=example").servers == (url,)

    @pytest.mark.parametrize("text", ["", " ", "a\nb", "a\rb", "a\0b"])
    @pytest.mark.parametrize("setting", ["search_base", "filter", "ca_file"])
    def test_nothing_smuggles_a_line_into_a_file(self, setting: str, text: str) -> None:
        with pytest.raises(SettingsError, match=rf"{setting}: must be one line and not empty"):
            SaslauthdLdap(**DIRECTORY | {setting: text})

    @pytest.mark.parametrize("domain", ["a\nb", " example.org", "example.org "])
    def test_local_domain_is_what_main_cf_can_hold(self, domain: str) -> None:
        with pytest.raises(SettingsError, match=r"Submission\.local_domain: "):
            Submission(local_domain=domain)

    @pytest.mark.parametrize("path", ["", "relay.pem", "~/relay.pem", "/etc/my certs/a.pem", "/etc/a.pem,/b"])
    def test_path_on_the_host_is_what_main_cf_can_hold(self, path: str) -> None:
        with pytest.raises(SettingsError, match=r"CertificateOnHost\.key: .*is not an absolute path"):
            CertificateOnHost(certificate="/etc/relay.pem", key=path)

    @pytest.mark.parametrize(
        ("section", "setting", "least", "most"),
        [
            (SaslauthdLdap, "timeout", 1, 8),
            (SaslauthdLdap, "cache_seconds", 0, 300),
            (SaslauthdLdap, "workers", 1, 100),
            (OwnCa, "days", 2, 366),
            (ServerTls, "log_level", 0, 4),
            (ClientTls, "log_level", 0, 4),
        ],
    )
    def test_numbers_have_bounds(self, section: type[Section], setting: str, least: int, most: int) -> None:
        others = DIRECTORY if section is SaslauthdLdap else {}
        for fit in (least, most):
            assert getattr(section(**others | {setting: fit}), setting) == fit
        for unfit in (least - 1, most + 1, "many"):
            with pytest.raises(SettingsError, match=rf"{section.__name__}\.{setting}: Input should be"):
                section(**others | {setting: unfit})

    @pytest.mark.parametrize(
        ("section", "setting"), [(SaslauthdLdap, "scope"), (ClientTls, "security_level")]
    )
    def test_a_choice_is_named_when_it_is_missed(self, section: type[Section], setting: str) -> None:
        others = DIRECTORY if section is SaslauthdLdap else {}
        with pytest.raises(SettingsError, match=rf"{setting}: Input should be '.*' or '.*'"):
            section(**others | {setting: "tree"})


class TestContradictions:
    @pytest.mark.parametrize(
        ("contradiction", "complaint"),
        [
            ({"servers": []}, "servers is empty; name at least one"),
            ({"servers": ["ldap://a", "ldaps://b"]}, "servers: ldap:// and ldaps:// are mixed; choose one"),
            ({"servers": ["ldaps://a"], "start_tls": True}, "start_tls contradicts ldaps://.*; drop one"),
            ({"start_tls": False}, "start_tls=False would send passwords in the clear; use ldaps://"),
            ({"bind_dn": "cn=relay"}, "bind_dn and bind_password_file belong together; give both"),
            ({"bind_password_file": "secret"}, "bind_dn and bind_password_file belong together; give both"),
            ({"filter": "(uid=alice)"}, "filter has no %u or %U, .*; add one"),
            ({"filter": "(uid=%d)"}, "filter has no %u or %U, .*; add one"),
            ({"filter": "uid=%u"}, "filter 'uid=%u' is no search filter; write one like"),
            ({"auth_method": "custom"}, "auth_method 'custom' reads passwords as bind_dn; give that"),
            (
                {"auth_method": "fastbind", "filter": "(uid=%u)"},
                "filter: .* the DN of an entry; write one like",
            ),
            (
                {"auth_method": "fastbind", "scope": "one"},
                "auth_method 'fastbind' searches nothing; drop scope",
            ),
            (
                {"auth_method": "fastbind", "bind_dn": "cn=relay", "bind_password_file": "secret"},
                "auth_method 'fastbind' searches nothing; drop bind_dn",
            ),
            ({"domains": ["a.test"]}, "domains are those of addresses; add names='address' or 'both'"),
            ({"names": "address", "filter": "(uid=%U)"}, "domains is missing: any domain would do"),
            ({"names": "address", "auth_method": "fastbind"}, "domains is missing: any domain would do"),
            (
                {"names": "address", "search_base": "ou=People,o=%r", "filter": "(uid=%U)"},
                "domains is missing: any domain would do",
            ),
            (
                {"names": "both", "search_base": "ou=People,o=%r", "domains": ["a.test"]},
                "%r is empty for a user name, .*; add names='address'",
            ),
            ({"auth_method": "fastbind", "filter": "uid=%u,o=%r"}, "%r is empty for a user name"),
            ({"servers": ["ldap://127.0.0.1", "ldap://a"], "start_tls": False}, "start_tls=False would"),
            ({"servers": ["ldapi:///"], "start_tls": True}, "start_tls contradicts ldapi://"),
            ({"servers": ["ldapi:///", "ldaps://a"]}, "servers: ldapi:// and ldaps:// are mixed"),
        ],
    )
    def test_contradiction_is_refused_with_a_remedy(
        self, contradiction: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(SettingsError, match=f"SaslauthdLdap: {complaint}"):
            SaslauthdLdap(**DIRECTORY | contradiction)

    @pytest.mark.parametrize(
        ("url", "start_tls", "used"),
        [
            ("ldap://a", None, True),
            ("ldap://a", True, True),
            ("ldaps://a", None, False),
            ("ldaps://a", False, False),
            ("ldapi:///", None, False),
            ("ldap://127.0.0.1:3890", False, False),
            ("ldap://[::1]", False, False),
            ("ldap://localhost", False, False),
            ("ldap://localhost", None, True),
        ],
    )
    def test_passwords_never_leave_the_host_in_the_clear(
        self, url: str, start_tls: bool | None, used: bool
    ) -> None:
        login = SaslauthdLdap(servers=[url], search_base="dc=example", start_tls=start_tls)
        assert login.uses_start_tls is used


class TestPlace:
    INVENTORY = (
        "from tasks.settings import OwnCa, Relay\n"
        "relays = (\n"
        "    [('mx1.example.org', {'relay': Relay(replace_mail_server=True)}),\n"
        "     ('mx2.example.org', {'relay': Relay(\n"
        "         {of_mx2}\n"
        "     )})],\n"
        "    {'certificate': OwnCa({of_group})},\n"
        ")\n"
    )

    @pytest.mark.parametrize(
        ("mistake", "place"),
        [
            ({"of_mx2": "hostname='mx2'", "of_group": ""}, r"prod\.py line 4 \(mx2\.example\.org\): "),
            ({"of_mx2": "", "of_group": "days=0"}, r"prod\.py line 7 \(group relays\): "),
        ],
        ids=["host", "group"],
    )
    def test_mistake_is_found_where_it_was_written(
        self, tmp_path: Path, mistake: dict[str, str], place: str
    ) -> None:
        inventory = tmp_path / "prod.py"
        text = self.INVENTORY
        for name, value in mistake.items():
            text = text.replace(f"{{{name}}}", value)
        inventory.write_text(text)
        with pytest.raises(SettingsError, match=place):
            runpy.run_path(str(inventory))


class TestHost:
    @pytest.fixture(autouse=True)
    def command_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["pyinfra", "-y", "inventories/prod.py", "deploy.py"])

    def test_relay_has_the_name_that_the_inventory_gives_its_host(self) -> None:
        relay = settings.of(host("MX2.example.org", login=LOGIN, relay=Relay(replace_mail_server=True)))
        assert relay.hostname == "mx2.example.org"
        assert relay.relay.replace_mail_server

    def test_name_of_its_own_prevails(self) -> None:
        relay = settings.of(host("192.0.2.1", login=LOGIN, relay=Relay(hostname="mx9.example.org")))
        assert relay.hostname == "mx9.example.org"

    def test_host_without_a_proper_name_is_told_where_to_set_one(self) -> None:
        place = r"inventories/prod\.py \(mx1\): relay\.hostname: 'mx1' is not .*set it in Relay\(hostname="
        with pytest.raises(SettingsError, match=place):
            settings.of(host("mx1", login=LOGIN))

    def test_misspelled_section_is_refused_with_what_was_meant(self) -> None:
        place = (
            r"inventories/prod\.py \(mx1\.example\.org\): .*\.logon is not a setting; did you mean login\?"
        )
        with pytest.raises(SettingsError, match=place):
            settings.of(host(login=LOGIN, logon=LOGIN))

    def test_missing_login_is_named(self) -> None:
        with pytest.raises(SettingsError, match=r"\(mx1\.example\.org\): .*\.login is missing; add it"):
            settings.of(host())

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("login", DIRECTORY | {"zzz": 1}),
            ("certificate", {"days": 30}),
            ("relay", OwnCa()),
            ("relay", "mx1"),
        ],
        ids=["login", "choice", "other section", "text"],
    )
    def test_what_is_not_the_section_is_refused_by_file_and_host(self, key: str, value: Any) -> None:
        place = rf"^inventories/prod\.py \(mx1\.example\.org\): Settings\.{key}: must be \w+\(\.\.\.\)"
        with pytest.raises(SettingsError, match=place):
            settings.of(host(**{"login": LOGIN} | {key: value}))

    def test_data_for_pyinfra_is_no_setting(self) -> None:
        relay = settings.of(host(login=LOGIN, ssh_user="admin", ssh_port=2222, _sudo=True))
        assert relay == relay_with()


def test_defaults_are_the_safe_and_usual_ones() -> None:
    relay = relay_with()
    assert relay.submission == Submission(auth_on_25=True, broken_sasl_auth_clients=False, local_domain="")
    assert relay.certificate == OwnCa(days=365)
    assert relay.client_tls.security_level == "auto"
    assert relay.firewall.open_ports
    assert not relay.relay.replace_mail_server
    assert (LOGIN.names, LOGIN.finds, LOGIN.scope) == ("user", "(uid=%u)", "sub")
    assert LOGIN.cache_seconds == 0


def test_settings_do_not_change_under_way() -> None:
    relay = relay_with()
    with pytest.raises(ValidationError, match="frozen"):
        LOGIN.timeout = 9  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        relay.certificate = OwnCa()  # type: ignore[misc]


def test_section_can_be_shown_by_debug_inventory() -> None:
    assert OwnCa(days=90).to_json() == {"OwnCa": {"days": 90}}


def test_password_written_into_the_inventory_is_not_repeated() -> None:
    mistakes = {"bind_password": "pa55word", "timeout": "pa55word", "ca_file": "pa55\nword"}
    with pytest.raises(SettingsError, match=r"SaslauthdLdap\.bind_password is not") as error:
        SaslauthdLdap(**DIRECTORY | mistakes)
    assert "pa55" not in str(error.value)


@pytest.mark.parametrize(
    ("choice", "finds"),
    [
        ({}, "(uid=%u)"),
        ({"names": "address"}, "(mail=%u)"),
        ({"names": "both"}, "(|(uid=%u)(mail=%u))"),
        ({"auth_method": "fastbind"}, "uid=%U,dc=example,dc=org"),
        ({"filter": "(cn=%u)"}, "(cn=%u)"),
    ],
)
def test_names_say_how_an_entry_is_found(choice: dict[str, Any], finds: str) -> None:
    assert SaslauthdLdap(**DIRECTORY | choice).finds == finds


@pytest.mark.parametrize(
    ("names", "domains", "served"),
    [
        ("user", (), False),
        ("both", ("a.test",), False),
        ("address", ("A.test", "b.test"), True),
        ("both", (), True),
    ],
)
def test_a_domain_that_nobody_serves_is_not_added_to_logins(
    names: str, domains: tuple[str, ...], served: bool
) -> None:
    login = SaslauthdLdap(**DIRECTORY | {"names": names, "domains": domains})
    submission = Submission(local_domain="b.test")
    if served:
        assert relay_with(login=login, submission=submission).login == login
    else:
        with pytest.raises(
            ValidationError, match=r"local_domain makes addresses of b\.test, and login accepts none"
        ):
            relay_with(login=login, submission=submission)


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("imaps://imap.example.org", "imap.example.org:993"),
        ("imaps://imap.example.org:1993", "imap.example.org:1993"),
        ("imaps://[2001:db8::1]", "[2001:db8::1]:993"),
    ],
)
def test_the_imap_server_is_reached_at_its_port(url: str, reached: str) -> None:
    assert SaslauthdRimap(server=url).host_and_port == reached


@pytest.mark.parametrize("url", ["imap://imap.example.org", "imap.example.org", "imaps://me:pa55@imap.test"])
def test_an_imap_server_without_tls_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="write one like imaps://") as error:
        SaslauthdRimap(server=url)
    assert "pa55" not in str(error.value)


def test_pam_without_modules_is_refused() -> None:
    with pytest.raises(SettingsError, match="auth and account each need a module"):
        SaslauthdPam(account=())
