"""The link to the directory speaks LDAP where the directory does not."""

import asyncio
from pathlib import Path

import pytest

from onhost import ldap_link
from onhost.ldap_link import Link, Pending, parsed, read_message, unavailable

# A simple bind as cn=x with a password of one letter, number 7 (RFC 4511 4.2).
BIND = bytes.fromhex("300f020107600a0201030402636e800178")


async def fed(data: bytes) -> bytes:
    """Read a message from these bytes."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_message(reader)


@pytest.mark.parametrize("message", [BIND, b"\x30\x81\x0f" + BIND[2:], ldap_link.START_TLS])
def test_message_is_read_to_its_end(message: bytes) -> None:
    assert asyncio.run(fed(message + b"rest")) == message


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x85\0\0\0\0\1"])
def test_what_is_no_message_ends_the_connection(data: bytes) -> None:
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        asyncio.run(fed(data))


def test_message_is_parted() -> None:
    request, tag, content = parsed(BIND)
    assert (request, tag, content[:3]) == (b"\7", 0x60, b"\2\1\3")


def test_response_is_unavailable_and_has_the_requests_number() -> None:
    request, tag, content = parsed(unavailable(b"\7", 0x61))
    assert (request, tag, content) == (b"\7", 0x61, bytes.fromhex("0a013404000400"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"FAIL\t1\tuser=alice\tcode=temp_fail\n", True),
        (b"FAIL\t1\tuser=alice\n", False),
        (b"FAIL\tcode=temp_fail\tuser=alice\n", False),
        (b"OK\t1\tuser=code=temp_fail\n", False),
        (b"OK\t1\tuser=alice\tcode=temp_fail\n", False),
    ],
)
def test_temporary_failure_is_known(line: bytes, expected: bool) -> None:
    assert ldap_link.is_temporary_failure(line) is expected


def test_login_that_dovecot_does_not_answer_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ldap_link, "JUDGED", 0.1)
    monkeypatch.setattr(ldap_link, "DOVECOT", str(tmp_path / "dovecot"))

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"DONE\n")
        await reader.read()
        writer.close()

    async def ask(*said: bytes) -> bytes:
        dovecot = await asyncio.start_unix_server(greet, str(tmp_path / "dovecot"))
        link = await asyncio.start_unix_server(ldap_link.hand_over, str(tmp_path / "postfix"))
        async with dovecot, link:
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "postfix"))
            writer.writelines(said)
            async with asyncio.timeout(1):
                heard = await reader.read()
            writer.close()
        return heard

    assert asyncio.run(ask(b"CPID\t1\n", b"AUTH\t1\tPLAIN\n")) == b"DONE\n"
    with pytest.raises(TimeoutError):  # between logins there is nothing to wait for
        asyncio.run(ask(b"CPID\t1\n"))


def test_silence_is_told_of_what_was_asked_and_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap_link, "ANSWERED", 0.05)

    async def wait_for_answers() -> None:
        pending = Pending()
        pending.asked(BIND)
        pending.answered(unavailable(b"\7", 0x61))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await pending.watch()
        pending.asked(BIND)
        with pytest.raises(ldap_link.SilenceError):
            async with asyncio.timeout(5):
                await pending.watch()
        assert pending.requests == {b"\7": 0x61}

    asyncio.run(wait_for_answers())


def test_first_request_is_answered_where_no_server_can_be_reached(tmp_path: object) -> None:
    async def ask() -> bytes:
        link = Link(["ldap://127.0.0.1:1", "ldaps://[::1]:1"], "/etc/ssl/certs/ca-certificates.crt")
        server = await asyncio.start_unix_server(link.serve, f"{tmp_path}/socket")
        async with server:
            reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/socket")
            writer.write(BIND)
            answer = await read_message(reader)
            assert await reader.read() == b""
            writer.close()
            return answer

    assert asyncio.run(ask()) == unavailable(b"\7", 0x61)
