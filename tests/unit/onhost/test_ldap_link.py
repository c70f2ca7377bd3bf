"""The link to the directory speaks LDAP where the directory does not."""

import asyncio
from pathlib import Path

import pytest

from onhost import ldap_link
from onhost.ldap_link import BOUND, FOUND, Link, Pending, bound_name, judged, parsed, read_message, response

# A simple bind as cn with a password of one letter, number 7 (RFC 4511 4.2).
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


def test_response_has_the_requests_number_and_nothing_but_a_code() -> None:
    request, tag, content = parsed(response(b"\7", BOUND, 52))
    assert (request, tag, content) == (b"\7", 0x61, bytes.fromhex("0a013404000400"))


def test_name_of_a_bind_is_read_however_its_length_is_written() -> None:
    assert bound_name(parsed(BIND)[2]) == b"cn"
    assert bound_name(bytes.fromhex("020103048104636e3d78")) == b"cn=x"
    assert bound_name(bytes.fromhex("0201030482000a") + b"cn=relay,o") == b"cn=relay,o"


# Result codes of RFC 4511 A.2, by what a directory means of a user's bind by them.
SUCCESS, WRONG, BIND_FAILED, SEARCH_FAILED = 0, 49, 52, 80
LOCKED = (19, 53)


class TestVerdicts:
    @pytest.mark.parametrize("code", [*LOCKED, 8, 32, 34, 48, 49, 50])
    def test_a_user_who_is_refused_has_a_wrong_password_by_whatever_code(self, code: int) -> None:
        assert judged(BOUND, code, own=False) == WRONG

    @pytest.mark.parametrize("code", [1, 2, 3, 7, 10, 11, 13, 51, 52, 54, 80, 90])
    def test_a_directory_that_cannot_judge_refuses_nobody(self, code: int) -> None:
        assert judged(BOUND, code, own=False) == BIND_FAILED

    @pytest.mark.parametrize("code", [1, *LOCKED, 49, 50, 51, 80])
    def test_a_relay_that_is_refused_refuses_nobody(self, code: int) -> None:
        assert judged(BOUND, code, own=True) == BIND_FAILED

    @pytest.mark.parametrize("code", [1, 3, 10, 11, 50, 51, 52, 53, 80])
    def test_a_search_that_was_not_held_is_no_unknown_user(self, code: int) -> None:
        assert judged(FOUND, code, own=True) == SEARCH_FAILED

    @pytest.mark.parametrize(("tag", "code"), [(BOUND, 0), (FOUND, 0), (FOUND, 4), (FOUND, 32)])
    def test_what_succeeds_stays(self, tag: int, code: int) -> None:
        assert judged(tag, code, own=True) == code
        assert judged(tag, code, own=False) == code


def bind(number: int, name: str) -> bytes:
    """Write a simple bind with an empty password."""
    content = bytes([2, 1, 3, 4, len(name)]) + name.encode() + bytes([0x80, 0])
    operation = bytes([0x60, len(content)]) + content
    return bytes([0x30, 3 + len(operation), 2, 1, number]) + operation


def test_the_relays_own_bind_is_told_from_a_users() -> None:
    async def verdicts() -> list[bytes]:
        pending = Pending(own=b"cn=relay")
        pending.asked(bind(1, "cn=relay"))
        pending.asked(bind(2, "uid=alice"))
        return [pending.answered(response(bytes([number]), BOUND, 53)) for number in (1, 2)]

    own, users = asyncio.run(verdicts())
    assert own == response(b"\1", BOUND, BIND_FAILED)
    assert users == response(b"\2", BOUND, WRONG)


def test_nobody_is_referred_to_another_server() -> None:
    async def heard() -> list[bytes]:
        pending = Pending()
        pending.asked(bytes.fromhex("30050201076300"))
        reference = bytes.fromhex("300702010773020400")
        return [pending.answered(message) for message in (reference, response(b"\7", FOUND, 10))]

    assert asyncio.run(heard()) == [b"", response(b"\7", FOUND, SEARCH_FAILED)]


def test_a_directory_that_hangs_up_has_found_nobody_unknown() -> None:
    async def heard() -> list[bytes]:
        pending = Pending()
        pending.asked(bytes.fromhex("30050201076300"))
        notice = response(b"\0", 0x78, 52)
        return [pending.answered(notice), *(response(*owed, 0) for owed in pending.owed())]

    assert asyncio.run(heard()) == [b"", response(b"\7", FOUND, 0)]


@pytest.mark.parametrize(("plain", "first"), [(True, BIND), (False, ldap_link.START_TLS)])
def test_on_the_host_itself_there_may_be_no_tls(tmp_path: Path, plain: bool, first: bytes) -> None:
    async def asked() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def directory(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.read(100))
            writer.close()

        there = await asyncio.start_server(directory, "127.0.0.1", 0)
        url = "ldap://127.0.0.1:{1}".format(*there.sockets[0].getsockname())
        link = Link([url], "/etc/ssl/certs/ca-certificates.crt", plain=plain)
        here = await asyncio.start_unix_server(link.serve, str(tmp_path / "link"))
        async with there, here:
            _, writer = await asyncio.open_unix_connection(str(tmp_path / "link"))
            writer.write(BIND)
            said = await heard
            writer.close()
        return said

    assert asyncio.run(asked()) == first


def test_a_directory_on_the_host_is_asked_at_its_socket(tmp_path: Path) -> None:
    async def asked() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def directory(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await read_message(reader))
            writer.close()

        socket = str(tmp_path / "ldapi")
        there = await asyncio.start_unix_server(directory, socket)
        link = Link([f"ldapi://{socket.replace('/', '%2F')}"], "/etc/ssl/certs/ca-certificates.crt")
        here = await asyncio.start_unix_server(link.serve, str(tmp_path / "link"))
        async with there, here:
            _, writer = await asyncio.open_unix_connection(str(tmp_path / "link"))
            writer.write(BIND)
            said = await heard
            writer.close()
        return said

    assert asyncio.run(asked()) == BIND


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


def test_silence_is_told_of_what_was_asked_and_not_answered() -> None:
    async def wait_for_answers() -> None:
        pending = Pending(patience=0.05)
        pending.asked(BIND)
        pending.answered(response(b"\7", BOUND, 0))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await pending.watch()
        pending.asked(BIND)
        with pytest.raises(ldap_link.SilenceError):
            async with asyncio.timeout(5):
                await pending.watch()
        assert pending.owed() == [(b"\7", BOUND)]

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

    assert asyncio.run(ask()) == response(b"\7", BOUND, 52)
