"""The doctor's checks: which follow from the settings, and what is made of a host's answers."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from deploy import relay
from tasks.host.facts.host import UNKNOWN
from tasks.inventory.section import Section
from tasks.login import ldap_checks, port_checks, socket_checks
from tasks.login.saslauthd import checks as saslauthd_checks
from tasks.login.saslauthd import ldap
from tasks.part.check import Account, Check, Result, exits_well, run
from tasks.servers import checks as server_checks
from tasks.settings import (
    DovecotLdap,
    DovecotPasswdFile,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
    Settings,
    Submission,
)
from tests.unit.examples import LOGIN, relay_with

SECRET = "pa55 'word'"
ALICE = Account("alice", SecretStr(SECRET))
TWO_SERVERS = SaslauthdLdap(
    servers=["ldap://a.example", "ldap://[2001:db8::1]:390"], search_base="dc=example"
)
LOGINS: list[Section] = [
    LOGIN,
    TWO_SERVERS,
    SaslauthdLdap(servers=["ldaps://a.example"], search_base="dc=example", auth_method="fastbind"),
    SaslauthdPam(),
    SaslauthdRimap(server="imaps://imap.example.org"),
    Sasldb(accounts_file="x"),
    DovecotPasswdFile(accounts_file="x"),
    DovecotLdap(servers=["ldap://a.example"], search_base="dc=example"),
]


def checks_of(settings: Settings, account: Account | None) -> list[Check]:
    """Collect a relay's checks, as the doctor does."""
    return [check for checks in relay(settings, UNKNOWN).checks for check in checks(account)]


def names(checks: list[Check]) -> list[str]:
    return [check.name for check in checks]


class TestRun:
    def found(self, answers: Mapping[str, bool]) -> Mapping[str, str]:
        checks = [
            Check("a", "", exits_well("mend a")),
            Check("b", "", exits_well("mend b"), ["a"]),
            Check("c", "", exits_well("mend c"), ["b"]),
            Check("d", "", exits_well("mend d")),
        ]
        looked_at = []

        def ask(check: Check) -> Result:
            looked_at.append(check.name)
            return Result(answers.get(check.name, True), "said so\n")

        findings = {check.name: state for check, state, _ in run(checks, ask)}
        assert looked_at == [name for name, state in findings.items() if state != "skipped"]
        return findings

    def test_all_is_ok_where_every_check_succeeds(self) -> None:
        assert self.found({}) == dict.fromkeys("abcd", "ok")

    def test_what_needs_a_failed_check_is_skipped_and_the_rest_is_run(self) -> None:
        assert self.found({"a": False}) == {"a": "FAIL", "b": "skipped", "c": "skipped", "d": "ok"}

    def test_two_that_do_not_need_each_other_are_both_named(self) -> None:
        assert self.found({"b": False, "d": False}) == {"a": "ok", "b": "FAIL", "c": "skipped", "d": "FAIL"}

    def test_it_is_said_what_is_wrong_and_what_to_do(self) -> None:
        (finding,) = run(
            [Check("a", "", exits_well("mend it"))], lambda check: Result(False, "\nno way\nmore")
        )
        assert finding.words == "no way; mend it"


class TestSelection:
    @pytest.mark.parametrize("account", [ALICE, None], ids=["with user", "without"])
    @pytest.mark.parametrize("login", LOGINS, ids=lambda login: type(login).__name__)
    def test_each_check_has_a_name_and_needs_former_ones(
        self, login: Section, account: Account | None
    ) -> None:
        checks = checks_of(relay_with(login=login), account)
        assert len(set(names(checks))) == len(checks)
        for number, check in enumerate(checks):
            assert set(check.needs) <= set(names(checks[:number])), check.name

    def test_no_password_stands_in_a_script(self) -> None:
        for login in LOGINS:
            checks = checks_of(relay_with(login=login), ALICE)
            assert [check for check in checks if check.secret]
            assert SECRET not in " ".join(check.script + repr(check) for check in checks)

    def test_each_server_has_its_checks_and_one_that_is_down_is_no_reason_to_ask_nobody(self) -> None:
        checks = checks_of(relay_with(login=TWO_SERVERS), ALICE)
        assert [name for name in names(checks) if name.endswith(" answers")] == [
            "ldap://a.example answers",
            "ldap://[2001:db8::1]:390 answers",
        ]
        (asked,) = [check for check in checks if check.name.startswith("saslauthd takes")]
        assert not [name for name in asked.needs if name.startswith("ldap")]

    def test_ports_are_those_where_users_log_in(self) -> None:
        settings = relay_with(submission=Submission(auth_on_25=False))
        assert "port 25 offers a login" in names(checks_of(relay_with(), None))
        assert [name for name in names(checks_of(settings, None)) if name.startswith("port")] == [
            "port 465 offers a login",
            "port 587 offers a login",
        ]

    def test_without_a_user_nothing_is_logged_in(self) -> None:
        assert not [check for check in checks_of(relay_with(), None) if check.secret]


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
        assert ldap_checks.filter_for(text, name) == expected

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
        assert words in server_checks.judge_connection("login", Result(False, text))
        assert server_checks.judge_connection("login", Result(True, "")) == ""

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            (
                Result(False, "depth=0\nverify error:num=62:hostname mismatch\n40C7:error"),
                "hostname mismatch; ",
            ),
            (Result(False, "didn't find STARTTLS in server response"), "no TLS there: didn't find"),
            (Result(False, ""), "no TLS there: no answer"),
        ],
    )
    def test_a_certificate_that_is_not_believed(self, result: Result, words: str) -> None:
        assert words in server_checks.judge_certificate("login", result)
        assert server_checks.judge_certificate("login", Result(True, "verify return:1")) == ""

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            (
                Result(False, "ldap_bind: Invalid credentials (49)"),
                "wrong name or password; correct login.bind_dn",
            ),
            (Result(False, "bash: line 2: ldapwhoami: command not found"), "deploy first"),
            (Result(False, "ldap_bind: Server is unwilling (53)"), "unwilling (53); see login.bind_dn"),
        ],
    )
    def test_a_directory_that_does_not_let_the_relay_in(self, result: Result, words: str) -> None:
        assert words in ldap_checks.judge_bind(result)
        assert ldap_checks.judge_bind(Result(True, "dn:cn=relay")) == ""

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            (Result(True, ""), "(uid=x) finds nobody; "),
            (Result(True, "dn: uid=x,o=a\n\ndn:: dWlkPXg=\n"), "finds 2: uid=x,o=a; dWlkPXg="),
            (Result(False, "No such object (32)"), "login.search_base is not there"),
            (Result(False, "Insufficient access (50)"), "Insufficient access (50); see"),
        ],
    )
    def test_a_search_that_does_not_find_one(self, result: Result, words: str) -> None:
        assert words in ldap_checks.judge_search("(uid=x)")(result)
        assert ldap_checks.judge_search("(uid=x)")(Result(True, "dn: uid=x,o=a\n")) == ""


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
        asked = saslauthd_checks.question(Account(login, SecretStr("pw")))
        assert asked.get_secret_value() == question

    @pytest.mark.parametrize(
        ("text", "words"),
        [("NO", "it says no"), ("Permission denied", "Permission denied; see"), ("", "no answer; see")],
    )
    def test_its_answers(self, text: str, words: str) -> None:
        assert words in saslauthd_checks.judge_answer(Result(True, text))
        assert saslauthd_checks.judge_answer(Result(True, "OK")) == ""

    def test_services_in_the_chroot_are_named_and_others_are_not(self) -> None:
        said = "smtp/inet/chroot = y\nsubmission/inet/chroot = n\nslow/unix/chroot = y\n"
        assert socket_checks.judge_chroot(Result(True, said)).startswith("smtp in master.cf")
        assert socket_checks.judge_chroot(Result(True, said.replace("smtp/inet/chroot = y", ""))) == ""


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
        assert words in port_checks.judge(with_login=True)(Result(True, text))

    def test_a_port_that_does(self) -> None:
        assert port_checks.judge(with_login=True)(Result(True, f"{self.OFFER}235 2.7.0 yes")) == ""
        assert port_checks.judge(with_login=False)(Result(True, self.OFFER)) == ""

    def test_the_token_is_that_of_plain(self) -> None:
        token = port_checks.token(ALICE)
        assert token is not None
        assert token.get_secret_value() == f"\0alice\0{SECRET}"
