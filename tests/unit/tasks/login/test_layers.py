"""The doctor's layers: which follow from the settings, and what is made of a host's answers."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from tasks.doctor import doctor
from tasks.inventory.section import Section
from tasks.login import ldap_checks as ldap_layers
from tasks.login import port_checks as port_layers
from tasks.login import server_checks as server_layers
from tasks.login import socket_checks as socket_layers
from tasks.login.saslauthd import checks as saslauthd_layers
from tasks.login.saslauthd import ldap
from tasks.part.check import Account, Heard, Layer, exits_well, walk
from tasks.settings import (
    DovecotLdap,
    DovecotPasswdFile,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
    Submission,
)
from tests.unit.examples import LOGIN, relay_with

SECRET = "pa55 'word'"
ALICE = Account("alice", SecretStr(SECRET))
TWO_SERVERS = SaslauthdLdap(
    servers=["ldap://a.example", "ldap://[2001:db8::1]:390"], search_base="dc=example"
)
WAYS: list[Section] = [
    LOGIN,
    TWO_SERVERS,
    SaslauthdLdap(servers=["ldaps://a.example"], search_base="dc=example", auth_method="fastbind"),
    SaslauthdPam(),
    SaslauthdRimap(server="imaps://imap.example.org"),
    Sasldb(accounts_file="x"),
    DovecotPasswdFile(accounts_file="x"),
    DovecotLdap(servers=["ldap://a.example"], search_base="dc=example"),
]


def names(layers: list[Layer]) -> list[str]:
    return [layer.name for layer in layers]


class TestWalk:
    def found(self, answers: Mapping[str, bool]) -> Mapping[str, str]:
        layers = [
            Layer("a", "", exits_well("mend a")),
            Layer("b", "", exits_well("mend b"), ["a"]),
            Layer("c", "", exits_well("mend c"), ["b"]),
            Layer("d", "", exits_well("mend d")),
        ]
        looked_at = []

        def ask(layer: Layer) -> Heard:
            looked_at.append(layer.name)
            return Heard(answers.get(layer.name, True), "said so\n")

        findings = {layer.name: state for layer, state, _ in walk(layers, ask)}
        assert looked_at == [name for name, state in findings.items() if state != "unseen"]
        return findings

    def test_all_is_well_where_every_layer_is(self) -> None:
        assert self.found({}) == dict.fromkeys("abcd", "well")

    def test_what_rests_on_an_ill_layer_is_not_looked_at_and_the_rest_is(self) -> None:
        assert self.found({"a": False}) == {"a": "ill", "b": "unseen", "c": "unseen", "d": "well"}

    def test_two_that_do_not_rest_on_each_other_are_both_named(self) -> None:
        assert self.found({"b": False, "d": False}) == {"a": "well", "b": "ill", "c": "unseen", "d": "ill"}

    def test_it_is_said_what_is_wrong_and_what_to_do(self) -> None:
        (finding,) = walk(
            [Layer("a", "", exits_well("mend it"))], lambda layer: Heard(False, "\nno way\nmore")
        )
        assert finding.words == "no way; mend it"


class TestSelection:
    @pytest.mark.parametrize("account", [ALICE, None], ids=["with user", "without"])
    @pytest.mark.parametrize("login", WAYS, ids=lambda way: type(way).__name__)
    def test_each_layer_has_a_name_and_rests_on_former_ones(
        self, login: Section, account: Account | None
    ) -> None:
        layers = doctor.layers(relay_with(login=login), account)
        assert len(set(names(layers))) == len(layers)
        for number, layer in enumerate(layers):
            assert set(layer.rests_on) <= set(names(layers[:number])), layer.name

    def test_no_password_stands_in_a_script(self) -> None:
        for login in WAYS:
            layers = doctor.layers(relay_with(login=login), ALICE)
            assert [layer for layer in layers if layer.secret]
            assert SECRET not in " ".join(layer.script + repr(layer) for layer in layers)

    def test_each_server_has_its_layers_and_one_that_is_down_is_no_reason_to_ask_nobody(self) -> None:
        layers = doctor.layers(relay_with(login=TWO_SERVERS), ALICE)
        assert [name for name in names(layers) if name.endswith(" answers")] == [
            "ldap://a.example answers",
            "ldap://[2001:db8::1]:390 answers",
        ]
        (asked,) = [layer for layer in layers if layer.name.startswith("saslauthd takes")]
        assert not [name for name in asked.rests_on if name.startswith("ldap")]

    def test_ports_are_those_where_users_log_in(self) -> None:
        relay = relay_with(submission=Submission(auth_on_25=False))
        assert "port 25 offers a login" in names(doctor.layers(relay_with(), None))
        assert [name for name in names(doctor.layers(relay, None)) if name.startswith("port")] == [
            "port 465 offers a login",
            "port 587 offers a login",
        ]

    def test_without_a_user_nothing_is_logged_in(self) -> None:
        assert not [layer for layer in doctor.layers(relay_with(), None) if layer.secret]


class TestDirectory:
    @pytest.mark.parametrize(
        ("text", "name", "expected"),
        [
            ("(uid=%u)", "alice", "(uid=alice)"),
            ("(uid=%u)", "*)(uid=*", r"(uid=\2a\29\28uid=\2a)"),
            ("(&(uid=%U)(o=%d))", "alice@example.org", "(&(uid=alice)(o=example.org))"),
            ("(mail=%U@%r)", r"a\b@x", r"(mail=a\5cb@x)"),
            ("(cn=100%%%u)", "%u", "(cn=100%%u)"),
        ],
    )
    def test_a_login_is_searched_as_it_is_and_as_nothing_more(
        self, text: str, name: str, expected: str
    ) -> None:
        assert ldap_layers.filter_for(text, name) == expected

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("bash: connect: Connection refused", "nobody listens there"),
            ("bash: x: Name or service not known", "its name cannot be looked up"),
            ("bash: connect: Network is unreachable", "there is no way to it"),
            ("", "no answer within 5 s"),
        ],
    )
    def test_a_server_that_does_not_answer(self, text: str, words: str) -> None:
        assert words in server_layers.judge_connection(Heard(False, text))
        assert server_layers.judge_connection(Heard(True, "")) == ""

    @pytest.mark.parametrize(
        ("heard", "words"),
        [
            (
                Heard(False, "depth=0\nverify error:num=62:hostname mismatch\n40C7:error"),
                "hostname mismatch; ",
            ),
            (Heard(False, "didn't find STARTTLS in server response"), "no TLS there: didn't find"),
            (Heard(False, ""), "no TLS there: no answer"),
        ],
    )
    def test_a_certificate_that_is_not_believed(self, heard: Heard, words: str) -> None:
        assert words in server_layers.judge_certificate(heard)
        assert server_layers.judge_certificate(Heard(True, "verify return:1")) == ""

    @pytest.mark.parametrize(
        ("heard", "words"),
        [
            (
                Heard(False, "ldap_bind: Invalid credentials (49)"),
                "wrong name or password; correct login.bind_dn",
            ),
            (Heard(False, "bash: line 2: ldapwhoami: command not found"), "deploy first"),
            (Heard(False, "ldap_bind: Server is unwilling (53)"), "unwilling (53); see login.bind_dn"),
        ],
    )
    def test_a_directory_that_does_not_let_the_relay_in(self, heard: Heard, words: str) -> None:
        assert words in ldap_layers.judge_bind(heard)
        assert ldap_layers.judge_bind(Heard(True, "dn:cn=relay")) == ""

    @pytest.mark.parametrize(
        ("heard", "words"),
        [
            (Heard(True, ""), "(uid=x) finds nobody; "),
            (Heard(True, "dn: uid=x,o=a\n\ndn:: dWlkPXg=\n"), "finds 2: uid=x,o=a; dWlkPXg="),
            (Heard(False, "No such object (32)"), "login.search_base is not there"),
            (Heard(False, "Insufficient access (50)"), "Insufficient access (50); see"),
        ],
    )
    def test_a_search_that_does_not_find_one(self, heard: Heard, words: str) -> None:
        assert words in ldap_layers.judge_search("(uid=x)")(heard)
        assert ldap_layers.judge_search("(uid=x)")(Heard(True, "dn: uid=x,o=a\n")) == ""


class TestNames:
    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"names": "user"}, "a@b.example", "it is an address; correct login.names, 'user' now"),
            ({"names": "address"}, "alice", "it is no address"),
            ({"names": "both", "domains": ["b.example"]}, "a@c.example", "or login.domains"),
            ({"names": "both", "domains": ["b.example"]}, "a@b.example", ""),
            ({"names": "user"}, "alice", ""),
        ],
    )
    def test_a_name_that_the_settings_do_not_let_in(
        self, settings: dict[str, Any], name: str, words: str
    ) -> None:
        login = SaslauthdLdap(servers=["ldap://a.example"], search_base="dc=example", **settings)
        said = ldap.judge_name(login, name)
        assert words in said
        assert bool(words) == bool(said)


class TestSaslauthd:
    @pytest.mark.parametrize(
        ("login", "question"),
        [("alice", "alice\0\0pw"), ("a@b.example", "a\0b.example\0pw"), ("a@b@c", "a@b\0c\0pw")],
    )
    def test_it_is_asked_as_libsasl_does(self, login: str, question: str) -> None:
        asked = saslauthd_layers.question(Account(login, SecretStr("pw")))
        assert asked.get_secret_value() == question

    @pytest.mark.parametrize(
        ("text", "words"),
        [("NO", "it says no"), ("Permission denied", "Permission denied; see"), ("", "no answer; see")],
    )
    def test_its_answers(self, text: str, words: str) -> None:
        assert words in saslauthd_layers.judge_answer(Heard(True, text))
        assert saslauthd_layers.judge_answer(Heard(True, "OK")) == ""

    def test_services_in_the_chroot_are_named_and_others_are_not(self) -> None:
        said = "smtp/inet/chroot = y\nsubmission/inet/chroot = n\nslow/unix/chroot = y\n"
        assert socket_layers.judge_chroot(Heard(True, said)).startswith("smtp in master.cf")
        assert socket_layers.judge_chroot(Heard(True, said.replace("smtp/inet/chroot = y", ""))) == ""


class TestPorts:
    OFFER = "250-mx1.example.org\n250-AUTH PLAIN LOGIN\n250 CHUNKING\n"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("bash: connect: Connection refused", "nobody listens there"),
            ("", "no TLS, or no answer: nothing"),
            ("421 4.7.0 busy", "no TLS, or no answer: 421"),
            ("250-mx1.example.org\n250 CHUNKING", "no login is offered there"),
            (f"{OFFER}454 4.7.0 Temporary authentication failure", "454 4.7.0 Temporary"),
            (f"{OFFER}535 5.7.8 no", "535 5.7.8 no; see Postfix's log"),
            (OFFER, "250 CHUNKING"),
        ],
    )
    def test_a_port_that_does_not_let_the_user_in(self, text: str, words: str) -> None:
        assert words in port_layers.judge(with_login=True)(Heard(True, text))

    def test_a_port_that_does(self) -> None:
        assert port_layers.judge(with_login=True)(Heard(True, f"{self.OFFER}235 2.7.0 yes")) == ""
        assert port_layers.judge(with_login=False)(Heard(True, self.OFFER)) == ""

    def test_the_token_is_that_of_plain(self) -> None:
        token = port_layers.token(ALICE)
        assert token is not None
        assert token.get_secret_value() == f"\0alice\0{SECRET}"
