"""The judge of ids and dates: whose an id is, what it remembers, and how Postfix asks it."""

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest

from onhost import headers
from onhost.headers import DAY, Judge, Memory, Server, in_utc
from tasks.privacy import ids
from tests.unit.examples import HOSTNAME
from tests.unit.header_tables import PLAIN, judge
from tests.unit.tasks.privacy.test_privacy_rules import SIGNS
from tests.unit.tasks.test_patterns import BY_HAND

HOME = "1.2@kitchen-pc"
REWRITTEN = f"1.2@{HOSTNAME}"


def knowing(directory: Path, days: int = 30) -> Judge:
    """Make a judge that remembers."""
    return judge(PLAIN, Memory(directory, days))


@pytest.mark.parametrize(
    "name", ["In-Reply-To", "References", "X-Forwarded-Message-Id", "Original-Message-ID"]
)
def test_a_strangers_id_stays_and_a_users_own_goes(tmp_path: Path, name: str) -> None:
    relay = knowing(tmp_path)
    stranger = f"{name}: <x@strangers-pc> <{HOME}>"
    assert relay.answer(stranger) == stranger
    assert relay.answer(f"Message-ID: <{HOME}>") == f"Message-ID: <{REWRITTEN}>"
    assert relay.answer(stranger) == f"{name}: <x@strangers-pc> <{REWRITTEN}>"


@pytest.mark.parametrize("name", ["Message-ID", "Resent-Message-ID", "Content-ID", "Supersedes", "Obsoletes"])
def test_what_is_always_the_users_own_is_rewritten(tmp_path: Path, name: str) -> None:
    assert knowing(tmp_path).answer(f"{name}: <{HOME}>") == f"{name}: <{REWRITTEN}>"


@pytest.mark.parametrize("value", [" <kitchen-pc.77>", "kitchen-pc", "\n <>"])
def test_what_is_no_id_is_replaced_by_one(tmp_path: Path, value: str) -> None:
    relay = knowing(tmp_path)
    names = ("Message-ID", "Message-ID", "Resent-Message-ID", "Content-ID")
    answers = {relay.answer(f"{name}:{value}") for name in names}
    assert len(answers) == len(names)
    for answer in answers:
        assert answer
        assert re.fullmatch(rf"((Resent-)?Message|Content)-ID: <[\da-f]{{32}}@{HOSTNAME}>", answer)
    assert relay.answer(f"References:{value}") is None


def test_an_id_with_an_address_in_its_left_side_is_known_again(tmp_path: Path) -> None:
    relay, made = knowing(tmp_path), "33.192.0.2.7.44.squirrel@mail.example.com"
    assert relay.answer(f"References: <{made}>") == f"References: <{made}>"
    relay.answer(f"Message-ID: <{made}>")
    assert relay.answer(f"References: <{made}>") == f"References: <33.44.squirrel@{HOSTNAME}>"


def test_what_was_rewritten_is_known_after_a_restart_and_forgotten_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 20_000.5 * DAY
    monkeypatch.setattr(headers.time, "time", lambda: now)
    knowing(tmp_path).answer(f"Message-ID: <{HOME}>")
    now += 29 * DAY
    later = knowing(tmp_path)
    later.answer("Message-ID: <another@kitchen-pc>")
    assert later.answer(f"In-Reply-To: <{HOME}>") == f"In-Reply-To: <{REWRITTEN}>"
    now += DAY
    later.answer("Message-ID: <a-third@kitchen-pc>")
    assert later.answer(f"In-Reply-To: <{HOME}>") == f"In-Reply-To: <{HOME}>"


def test_nothing_can_be_read_from_what_is_remembered(tmp_path: Path) -> None:
    knowing(tmp_path).answer(f"Message-ID: <{HOME}>")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    for file in tmp_path.iterdir():
        assert b"kitchen" not in file.read_bytes()
    (tmp_path / "key").unlink()
    assert HOME not in Memory(tmp_path, 30)


def test_ids_drawn_by_lot_stay(tmp_path: Path) -> None:
    made = f"Message-ID: <{'a2' * 25}@abcdefgh2345>"
    assert knowing(tmp_path).answer(made) == made


def made_at(right_side: str) -> str:
    """Write a header with an id that was made there."""
    return f"Message-ID: <1.2@{right_side}>"


@pytest.mark.parametrize("sign", headers.OF_A_LINE)
def test_each_sign_of_a_line_at_home_is_needed(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for right_side in SIGNS[sign]:
        assert judge(PLAIN).answer(made_at(right_side)) == made_at(HOSTNAME), right_side
    others = [pattern for name, pattern in headers.OF_A_LINE.items() if name != sign]
    monkeypatch.setattr(headers, "LINES", re.compile("|".join(others), headers.FLAGS))
    assert None in [judge(PLAIN).answer(made_at(right_side)) for right_side in SIGNS[sign]]


@pytest.mark.parametrize(
    ("domains", "example"),
    [
        (ids.NOBODYS, "kitchen.mshome.net"),
        (ids.DYNAMIC_DNS, "kitchen.homelinux.org"),
        (ids.CUSTOMERS, "cpc1-oxfd10-2-0-cust123.4-3.cable.virginm.net"),
    ],
)
def test_each_list_of_domains_is_needed(domains: tuple[str, ...], example: str) -> None:
    assert set(domains) <= set(ids.PRIVATE_DOMAINS)
    assert judge(PLAIN).answer(made_at(example)) == made_at(HOSTNAME)
    for domain in domains:
        assert judge(PLAIN).answer(made_at(f"kitchen.{domain}")) == made_at(HOSTNAME), domain
    others = [domain for domain in ids.PRIVATE_DOMAINS if domain not in domains]
    assert Judge(HOSTNAME, ids.top_level_domains(), others).answer(made_at(example)) is None


# Names of servers, as public mail has them.
SERVERS = [
    *("web161820.mail.bf1.yahoo.com", "ms1b.correo.udc.es", "eurprd03.prod.outlook.com", "mail.gmail.com"),
    *("exchange23.enterprise.example.net", "no-ip.com", "ddns.example.com", "is-a.com", "abo.com"),
    *("h180239.nist.example", "d1g2000hsg.googlegroups.com", "fwd00.btx.dtag.de", "biopc43.uio.no"),
    *("smarthost01b.mail.zen.net.uk", "4caa5f0e.example.com", "a.b.ec2.example.com", "mx.from-you.com"),
]


@pytest.mark.parametrize("right_side", SERVERS)
def test_an_id_made_on_a_server_stays(right_side: str) -> None:
    relay = Judge(HOSTNAME, [*ids.top_level_domains(), "example"], ids.PRIVATE_DOMAINS)
    assert relay.answer(made_at(right_side)) is None


@pytest.mark.parametrize("login", ["root", "app", "www-data", "tomcat7", "javamailuser", "Administrator"])
def test_a_servers_own_login_stays_in_a_left_side(login: str) -> None:
    assert judge(PLAIN).answer(f"Message-ID: <1.2.JavaMail.{login}@mail.example.com>") is None
    for user in (f"{login}a", f"a{login}", f"{login}.a"):
        assert judge(PLAIN).answer(f"Message-ID: <1.2.JavaMail.{user}@mail.example.com>") == (
            f"Message-ID: <1.2.JavaMail@{HOSTNAME}>"
        )


@pytest.mark.parametrize("header", ["Message-ID: <a@example.com>", "References:", "Message-ID: a@b@"])
def test_what_tells_nothing_is_left_to_the_guard(header: str) -> None:
    if header.endswith("@"):
        assert judge(PLAIN).answer(header) is not None
    else:
        assert judge(PLAIN).answer(header) is None


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        (" Thu, 20 Nov 2025 10:33:00 +0100", "Thu, 20 Nov 2025 09:33:00 +0000"),
        (" Thu, 20 Nov 2025 10:33:00 -0800 (PST)", "Thu, 20 Nov 2025 18:33:00 +0000"),
        ("\n 31 Dec 2025 23:59:60 -0100", "Thu, 01 Jan 2026 01:00:00 +0000"),
        (" Thu, 20 Nov 2025 10:33:00 -0000", "Thu, 20 Nov 2025 10:33:00 +0000"),
        (" Thu, 20 Nov 2025 10:33:00 EST", "Thu, 20 Nov 2025 15:33:00 +0000"),
    ],
)
def test_a_date_becomes_the_same_moment_in_utc(written: str, utc: str) -> None:
    assert in_utc(written) == utc
    assert judge(PLAIN).answer(f"Date:{written}") == f"Date: {utc}"


@pytest.mark.parametrize("written", ["", " yesterday", " Thu, 99 Nov 2025 10:33:00 +0100", " \xff"])
def test_what_is_no_date_becomes_now(written: str) -> None:
    assert in_utc(written).endswith(" +0000")


@pytest.mark.parametrize("hard", BY_HAND.values(), ids=BY_HAND.keys())
def test_whatever_a_header_holds_it_is_judged(hard: tuple[str, str, str]) -> None:
    start, pump, end = hard
    for size in (100, 80_000, 120_000):
        text = f"{start}{pump * (size // len(pump))}{end}"
        answer = judge(PLAIN).answer(text)
        assert answer is None or answer == "" or "kitchen-pc" not in answer


class Broken:
    """A memory whose disk is full."""

    def add(self, message_id: str) -> None:
        """Fail."""
        raise sqlite3.OperationalError("database or disk is full")

    def __contains__(self, message_id: str) -> bool:
        """Fail."""
        raise sqlite3.OperationalError("disk I/O error")


def test_mail_waits_where_nothing_can_be_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(judge(PLAIN, Broken()))
    for header in (f"Message-ID: <{HOME}>", f"References: <{HOME}>"):
        assert server.reply(header).startswith("TEMP ")
    assert "kitchen-pc" not in capsys.readouterr().err
    assert server.reply("Message-ID: <a@example.com>") == "NOTFOUND "


async def conversation(path: Path, *said: bytes) -> list[bytes]:
    """Say something to a server at a socket, and read what it answers until it has nothing to say."""
    server = await asyncio.start_unix_server(Server(judge(PLAIN)).serve, str(path))
    reader, writer = await asyncio.open_unix_connection(str(path))
    answers = []
    for one in said:
        writer.write(one)
    writer.write_eof()
    while length := await reader.read(1):
        while not length.endswith(b":"):
            length += await reader.readexactly(1)
        answers.append((await reader.readexactly(int(length[:-1]) + 1))[:-1])
    writer.close()
    server.close()
    await server.wait_closed()
    return answers


def asked(key: str) -> bytes:
    """Write a request as Postfix does (socketmap_table(5))."""
    text = f"headers {key}".encode("latin-1")
    return b"%d:%s," % (len(text), text)


def test_postfix_asks_several_times_over_one_connection(tmp_path: Path) -> None:
    answers = asyncio.run(
        conversation(
            tmp_path / "socket",
            asked(f"Message-ID:\n <{HOME}>"),
            asked("Message-ID: <a@example.com>"),
            asked(f"References: {'<a@pc> ' * 20_000}"),
            asked("References: <a@\xff\xfe.pc>"),
        )
    )
    assert answers == [
        f"OK REPLACE Message-ID:\n <{REWRITTEN}>".encode(),
        b"NOTFOUND ",
        b"OK IGNORE",
        f"OK REPLACE References: <a@{HOSTNAME}>".encode(),
    ]


@pytest.mark.parametrize("said", [b"x:y,", b"5:ab", b"", b"-1:,"])
def test_what_is_no_request_ends_the_connection(tmp_path: Path, said: bytes) -> None:
    assert asyncio.run(conversation(tmp_path / "socket", asked("References:"), said)) == [b"NOTFOUND "]
