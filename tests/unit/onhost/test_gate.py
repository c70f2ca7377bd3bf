"""The gate before saslauthd: which names it lets through, and what it takes for a refusal."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from onhost import gate
from onhost.gate import Gate, Names, Window, counted, parsed, parser, read_string
from tasks.login.saslauthd.ldap import OF_A_DN

WRONG = "Bind to ldap server failed (invalid user/password or insufficient access) (-7)"


class TestNames:
    @pytest.mark.parametrize(
        ("form", "accepted"),
        [
            ("user", {"alice"}),
            ("address", {"alice@a.test"}),
            ("both", {"alice", "alice@a.test"}),
            ("any", {"alice", "alice@a.test", "alice@b.test", "al@ice@a.test", "@a.test"}),
        ],
    )
    def test_names_of_the_stated_form_are_accepted(self, form: str, accepted: set[str]) -> None:
        names = Names(form, frozenset({"a.test"}))
        given = ("alice", "alice@a.test", "alice@b.test", "al@ice@a.test", "@a.test")
        parts = {name: [part.encode() for part in name.rpartition("@")] for name in given if "@" in name}
        parts["alice"] = [b"alice", b"", b""]
        assert {name for name, (user, _, realm) in parts.items() if names.accept(user, realm)} == accepted

    def test_domains_are_the_same_in_any_case_and_any_will_do_where_none_is_named(self) -> None:
        assert Names("address", frozenset({"a.test"})).accept(b"alice", b"A.Test")
        assert Names("address").accept(b"alice", b"b.test")

    @pytest.mark.parametrize("name", ["Jürgen", "o'neil", "a+b", "x=y", "two words", "*", "a(b)", "1"])
    def test_names_may_be_unusual(self, name: str) -> None:
        assert Names("user").accept(name.encode(), b"")

    @pytest.mark.parametrize(
        "name",
        [
            b"al\xffice",
            b"al\nice",
            b"al\x00ice",
            b"al\x7fice",
            "al\xadice".encode(),
            "al\u200bice".encode(),
            "\uff41lice".encode(),  # FULLWIDTH LATIN SMALL LETTER A
            "Ju\u0308rgen".encode(),  # a letter and its dots, apart
            b" alice",
            b"alice ",
            b"al  ice",
            b"",
        ],
    )
    def test_names_that_might_be_taken_for_others_are_refused(self, name: bytes) -> None:
        assert not Names("user").accept(name, b"")

    @pytest.mark.parametrize("name", ["a,b", "a+b", "a=b", "#04", 'a"b', "a\\b", "a;b", "a<b", "a>b"])
    def test_where_names_are_parts_of_a_dn_its_punctuation_is_refused(self, name: str) -> None:
        assert Names("user").accept(name.encode(), b"")
        assert not Names("user", without=OF_A_DN).accept(name.encode(), b"")
        assert not Names("address", without=OF_A_DN).accept(b"alice", name.encode())


class TestRefusals:
    @pytest.mark.parametrize(
        ("mechanism", "words", "refuses"),
        [
            ("ldap", [], False),
            ("ldap", [f"Authentication failed for alice: {WRONG}"], True),
            ("ldap", ["Authentication failed for a (b): c/relay.test: User not found (-6)"], True),
            ("ldap", ["Authentication failed for alice: Cannot connect to ldap server (..) (-8)"], False),
            ("ldap", ["Authentication failed for x: y (-6): Retry condition (..) (-3)"], False),
            ("ldap", ["Authentication failed for x: y (-6)", "Authentication failed for x: y (-3)"], False),
            ("ldap", ["something else (-6)"], False),
            (
                "ldap",
                [
                    "user ldap_search_st() failed: Can't contact LDAP server",
                    "Retrying authentication",
                    f"Authentication failed for alice: {WRONG}",
                ],
                True,
            ),
            ("pam", ["DEBUG: auth_pam: pam_authenticate failed: Authentication failure"], True),
            ("pam", ["DEBUG: auth_pam: pam_acct_mgmt failed: User account has expired"], True),
            (
                "pam",
                [
                    "DEBUG: auth_pam: pam_authenticate failed: "
                    "Authentication service cannot retrieve authentication info"
                ],
                False,
            ),
            (
                "rimap",
                [
                    ": auth failure: [user=x] [service=smtp] [realm=] [mech=rimap] "
                    "[reason=remote server rejected your credentials]"
                ],
                True,
            ),
            (
                "rimap",
                [
                    ": auth failure: [user=[mech=rimap] [reason=remote server rejected your credentials]] "
                    "[service=smtp] [realm=] [mech=rimap] [reason=[ALERT] saslauthd internal error]"
                ],
                False,
            ),
        ],
    )
    def test_only_a_known_last_word_refuses(
        self, tmp_path: Path, mechanism: str, words: list[str], refuses: bool
    ) -> None:
        async def window() -> Window:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                tested = gate_of(tmp_path, log, f"--mechanism={mechanism}")
                tested.windows.append(Window())
                for text in words:
                    tested.note(f"<39>Nov 24 14:00:00 saslauthd[7]: {text}")
                return tested.windows[0]

        assert asyncio.run(window()).refuses(mechanism) is refuses

    def test_a_line_of_the_log_is_parted(self) -> None:
        assert parsed("<35>Nov  4 14:00:00 saslauthd[7]: a: b") == (3, "a: b")
        assert parsed("<86>Nov 24 14:00:00 saslauthd: a") == (6, "a")
        assert parsed("whatever") == (4, "whatever")


def gate_of(directory: Path, log: socket.socket, *words: str) -> Gate:
    """Make a gate before a socket in a directory."""
    options = parser().parse_args(["--workers=1", *words])
    return Gate(options, Names(options.names), directory / "mux", log)


class TestAnswers:
    """The gate with a saslauthd that logs and answers as it is told."""

    def ask(
        self, directory: Path, judge: Callable[[str], tuple[str, str] | None], *words: str
    ) -> list[bytes]:
        """Ask about alice and her password, and return what is answered: a string, or nothing.

        :param judge: tells of a login what saslauthd logs, and its answer; None for silence
        """

        async def asked() -> list[bytes]:
            with (
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log,
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as logging,
            ):
                log.bind(str(directory / "log"))
                log.setblocking(False)
                logging.connect(str(directory / "log"))

                async def saslauthd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                    login, *_ = [(await read_string(reader)).decode() for _ in range(4)]
                    if said := judge(login):
                        logging.send(f"<39>Nov 24 14:00:00 saslauthd[7]: {said[0]}".encode())
                        writer.write(counted(said[1].encode()))
                    writer.close()

                tested = gate_of(directory, log, "--mechanism=ldap", *words)
                await asyncio.start_unix_server(saslauthd, str(directory / "mux"))
                await asyncio.start_unix_server(tested.serve, str(directory / "front"))
                reader, writer = await asyncio.open_unix_connection(str(directory / "front"))
                writer.write(b"".join(map(counted, [b"alice", b"secret", b"smtp", b""])))
                answer = await reader.read()
                writer.close()
                return [answer[2:], str(tested.broken.done()).encode()]

        return asyncio.run(asked())

    def test_an_ok_is_passed_on(self, tmp_path: Path) -> None:
        assert self.ask(tmp_path, lambda login: ("fine", "OK")) == [b"OK", b"False"]

    def test_a_no_with_a_reason_is_passed_on(self, tmp_path: Path) -> None:
        said = (f"Authentication failed for alice: {WRONG}", "NO")
        assert self.ask(tmp_path, lambda login: said) == [b"NO", b"False"]

    @pytest.mark.parametrize("reason", ["Authentication failed for alice: (..) (-3)", "whatever"])
    def test_a_no_without_one_is_no_answer(self, tmp_path: Path, reason: str) -> None:
        assert self.ask(tmp_path, lambda login: (reason, "NO")) == [b"", b"False"]

    def test_a_login_that_a_server_took_with_it_is_asked_about_again(self, tmp_path: Path) -> None:
        said = iter([("Authentication failed for alice: (..) (-3)", "NO"), ("fine", "OK")])
        assert self.ask(tmp_path, lambda login: next(said)) == [b"OK", b"False"]

    def test_a_saslauthd_that_does_not_answer_ends_the_gate(self, tmp_path: Path) -> None:
        assert self.ask(tmp_path, lambda login: None) == [b"", b"True"]

    @pytest.mark.parametrize("password", [b"", b"x" * 128, b"{SSHA512}abc"])
    def test_passwords_that_saslauthd_would_mistake_are_refused_unasked(
        self, tmp_path: Path, password: bytes
    ) -> None:
        async def judged() -> bytes:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                words = ("--mechanism=ldap", "--no-hashes", "--longest-password=127")
                return await gate_of(tmp_path, log, *words).judge(b"alice", password, b"smtp", b"")

        assert asyncio.run(judged()) == b"NO"

    def test_a_login_is_put_off_before_postfix_gives_up(self) -> None:
        assert gate.SECONDS < 10
        assert gate.IMAP_SECONDS < gate.SECONDS < gate.STUCK
