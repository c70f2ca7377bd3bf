"""The relays of a fleet: what one rewrote the others know, and nobody learns or tells who has not the key."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from onhost import fleet
from onhost.fleet import Hashes, Line, Listener, Status, Teller
from onhost.headers import Memory

KEY = b"k" * 32
OURS, THEIRS = "<1@kitchen-pc>", "<2@attic>"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAUSE", "AGAIN"):
        monkeypatch.setattr(fleet, name, 0.02)


class Relay:
    """One of them: what its judge remembers, and what the program makes of that."""

    def __init__(self, directory: Path, secret: bytes = b"s" * 40) -> None:
        directory.mkdir()
        self.memory = Memory(directory, 30, secret)
        self.hashes = Hashes(directory / "ids.sqlite")
        self.status_file = directory / "status"
        self.status = Status(self.status_file)
        self.port = 0

    @asynccontextmanager
    async def telling(self, key: bytes = KEY, port: int = 0) -> AsyncIterator["Relay"]:
        serve = Teller(self.hashes, key).serve
        async with await asyncio.start_server(serve, "127.0.0.1", port, limit=fleet.LONGEST) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    @asynccontextmanager
    async def listening(self, port: int, key: bytes = KEY) -> AsyncIterator[None]:
        listener = Listener(self.hashes, key, self.status, "127.0.0.1", port)
        task = asyncio.create_task(listener.listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def knows(self, message_id: str) -> None:
        await until(lambda: message_id in self.memory)

    async def says(self, words: str) -> None:
        await until(lambda: self.status_file.exists() and words in self.status_file.read_text())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def one(tmp_path: Path) -> Relay:
    return Relay(tmp_path / "one")


@pytest.fixture
def other(tmp_path: Path) -> Relay:
    return Relay(tmp_path / "other")


def test_what_one_rewrote_the_other_knows_before_and_after_it_asked(one: Relay, other: Relay) -> None:
    async def story() -> None:
        one.memory.add(OURS)
        async with one.telling(), other.listening(one.port):
            await other.knows(OURS)
            one.memory.add(THEIRS)
            await other.knows(THEIRS)
        assert other.hashes.after(0) == []  # it tells nobody what it was told

    asyncio.run(story())


def test_one_that_was_away_is_heard_from_where_it_had_come_to(one: Relay, other: Relay) -> None:
    async def story() -> None:
        one.memory.add(OURS)
        async with one.telling():
            port = one.port
            async with other.listening(port):
                await other.knows(OURS)
        async with other.listening(port):
            await other.says("127.0.0.1\t")
            one.memory.add(THEIRS)
            async with one.telling(port=port):
                await other.knows(THEIRS)
                await other.says("127.0.0.1\t\n")
        assert other.hashes.heard(one.hashes.relay) == 2

    asyncio.run(story())


def test_many_come_in_several_lines(one: Relay, other: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "AT_ONCE", 7)

    async def story() -> None:
        for number in range(50):
            one.memory.add(f"<{number}@kitchen-pc>")
        async with one.telling(), other.listening(one.port):
            await other.knows("<49@kitchen-pc>")
        assert all(f"<{number}@kitchen-pc>" in other.memory for number in range(50))

    asyncio.run(story())


def test_who_has_another_key_learns_nothing_and_teaches_nothing(one: Relay, other: Relay) -> None:
    async def story() -> None:
        one.memory.add(OURS)
        async with one.telling(), other.listening(one.port, key=b"x" * 32):
            await other.says("it hung up")
        assert OURS not in other.memory

    asyncio.run(story())


def test_who_only_claims_to_be_a_relay_teaches_nothing(other: Relay) -> None:
    async def claim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"relay": "thief", "nonce": "1"}\n')
        await reader.readline()
        writer.write(b'[[1,"' + b"00" * 16 + b'",1]]\t' + b"0" * 64 + b"\n")

    async def story() -> None:
        server = await asyncio.start_server(claim, "127.0.0.1", 0)
        async with server, other.listening(server.sockets[0].getsockname()[1]):
            await other.says("it has not the fleet's key")
        assert other.hashes.heard("thief") == 0

    asyncio.run(story())


@pytest.mark.parametrize("line", [b"", b"{", b"[1]\n", b'{"relay": 1}\n', b"x" * 70_000, b"\xff\n"])
def test_nonsense_ends_nothing_but_its_connection(one: Relay, other: Relay, line: bytes) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        async with server, one.listening(server.sockets[0].getsockname()[1]):
            await one.says("127.0.0.1\t")
        async with one.telling():
            _reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(line)
            writer.close()
            one.memory.add(OURS)
            async with other.listening(one.port):
                await other.knows(OURS)

    asyncio.run(story())


def test_a_relay_that_asks_itself_lets_it_be(one: Relay) -> None:
    async def story() -> None:
        async with one.telling():
            await asyncio.wait_for(Listener(one.hashes, KEY, one.status, "127.0.0.1", one.port).listen(), 10)
        assert one.status_file.read_text() == ""

    asyncio.run(story())


def test_no_line_is_good_twice_or_elsewhere() -> None:
    line = Line(KEY, "tells 1 2").signed([1])
    same, elsewhere = Line(KEY, "tells 1 2"), Line(KEY, "tells 1 3")
    assert same.read(line) == [1]
    for reader in (same, elsewhere):
        with pytest.raises(fleet.ForeignError):
            reader.read(line)
    assert json.loads(line.split(b"\t")[0]) == [1]
