"""Where DANE decides MTA-STS is not asked; and what DNS does not tell makes mail wait."""

import asyncio

import pytest

from onhost.dane import MX, NO_SUCH_NAME, TLSA, Answer, Server, UnknownError, question, read, resolvers

KEY = b"\x03\x01\x01" + bytes(32)
NOTHING = Answer(True, [], [])
UNSIGNED = Answer(False, [], [])
WORLD = {
    ("signed.test", MX): Answer(True, [b""], ["mx.signed.test", "mx2.signed.test"]),
    ("_25._tcp.mx2.signed.test", TLSA): Answer(True, [KEY], []),
    ("plain.test", MX): Answer(True, [b""], ["mx.plain.test"]),
    ("forged.test", MX): Answer(False, [b""], ["mx.signed.test"]),
    ("_25._tcp.alone.test", TLSA): Answer(True, [KEY], []),
    ("half.test", MX): Answer(True, [b""], ["mx.half.test"]),
    ("_25._tcp.mx.half.test", TLSA): Answer(False, [KEY], []),
    ("_587._tcp.mx.signed.test", TLSA): Answer(True, [KEY], []),
}


async def world(name: str, kind: int) -> Answer:
    """Look up in a small DNS."""
    if name.endswith("silent.test"):
        raise UnknownError("no answer")
    return WORLD.get((name, kind), NOTHING)


def reply(destination: str) -> str:
    """Ask as Postfix does."""
    return asyncio.run(Server(world).reply(destination))


@pytest.mark.parametrize(
    "destination", ["signed.test", "alone.test", "[mx.signed.test]:587", "[mx2.signed.test]"]
)
def test_a_published_key_decides(destination: str) -> None:
    assert reply(destination) == "OK dane"


@pytest.mark.parametrize(
    "destination",
    [
        "plain.test",
        "forged.test",
        "half.test",
        "[mx.signed.test]",
        "[127.0.0.1]:10587",
        "[IPv6:2001:db8::1]",
        ".signed.test",
        "nowhere.test",
        "no name at all",
        "",
    ],
)
def test_where_there_is_none_others_are_asked(destination: str) -> None:
    assert reply(destination) == "NOTFOUND "


def test_what_dns_does_not_tell_makes_mail_wait() -> None:
    assert reply("silent.test").startswith("TEMP ")


def answer(code: int = 0, flags: int = 0x20, records: bytes = b"", count: int = 0) -> bytes:
    """Write an answer for MX records of example.test."""
    asked = question("example.test", MX)
    return asked[:2] + bytes([0x81, flags | code, 0, 1, 0, count, 0, 0, 0, 0]) + asked[12:-11] + records


def record(data: bytes, kind: int = MX) -> bytes:
    """Write a record of example.test, by a pointer to the question's name."""
    return b"\xc0\x0c" + kind.to_bytes(2) + b"\0\1" + bytes(4) + len(data).to_bytes(2) + data


def test_answers_are_read() -> None:
    written = record(b"\0\x0a\2mx\xc0\x0c") + record(b"signature", 46) + record(b"\0\x14\3mx2\3out\4test\0")
    found = read(answer(records=written, count=3), MX)
    assert (found.validated, found.names) == (True, ["mx.example.test", "mx2.out.test"])
    assert read(answer(flags=0), MX).validated is False
    assert read(answer(code=NO_SUCH_NAME), MX) == NOTHING
    assert read(answer(records=record(b"\0\0\0"), count=1), MX).names == []  # RFC 7505: no mail there


@pytest.mark.parametrize(
    "message",
    [answer(code=2), answer(records=b"\xc0\xff", count=1), answer(count=1), b"\0\0"],
    ids=["failed", "pointer to what follows", "cut off", "no answer"],
)
def test_what_is_no_answer_tells_nothing(message: bytes) -> None:
    with pytest.raises((UnknownError, IndexError)):
        read(message, MX)


def test_resolvers_are_the_hosts() -> None:
    assert resolvers("# x\nnameserver 127.0.0.1\noptions edns0\nnameserver ::1\n") == ["127.0.0.1", "::1"]
    assert resolvers("search test\n") == ["127.0.0.1"]
