"""Has the relays of a fleet know what each of them rewrote. Runs on the relay.

The judge of ids (headers.py) keeps keyed hashes in a file. This program answers who asks for those of its
relay, and asks the others for theirs, over and over; so what left by one may be answered to by another.

Both sides prove that they have the fleet's key: each line has a code over it (RFC 2104) that is good for one
connection and one place in it. What goes over the wire is days, and hashes with which nobody can do anything
who has not that key; so it is not encrypted. A relay that is away is asked again until it answers, and from
where it had come to: nothing is lost by that but time.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import socket
import sqlite3
import sys
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Any

PAUSE = 1.0  # seconds between two looks for something new
AGAIN = 5.0  # seconds until a relay is asked again
SIGN_OF_LIFE = 20.0  # seconds after which a line without hashes is sent
PATIENCE = 60.0  # seconds for any line
LONGEST = 65_536  # bytes of a line
AT_ONCE = 500  # hashes in a line
MOST = 64  # connections

SCHEMA = """
CREATE TABLE IF NOT EXISTS known
  (number INTEGER PRIMARY KEY AUTOINCREMENT,
   hash BLOB NOT NULL UNIQUE, day INTEGER NOT NULL, here INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS relay (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS heard (relay TEXT PRIMARY KEY, number INTEGER NOT NULL);
"""


class ForeignError(Exception):
    """The other side has not the fleet's key, or says what makes no sense."""


class Hashes:
    """The file that the judge writes too, as far as the fleet goes."""

    def __init__(self, path: Path) -> None:
        """Open it.

        :raises sqlite3.Error: where it cannot be opened
        """
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(SCHEMA)
        self._file.execute(
            "INSERT INTO relay SELECT ? WHERE NOT EXISTS (SELECT 1 FROM relay)", (secrets.token_hex(8),)
        )
        ((self.relay,),) = self._file.execute("SELECT name FROM relay")
        """What tells this relay from others, drawn by lot."""

    def after(self, number: int) -> list[tuple[int, str, int]]:
        """Give what was rewritten here since: number, hash in hexadecimal digits, day."""
        found = self._file.execute(
            "SELECT number, hash, day FROM known WHERE here AND number > ? ORDER BY number LIMIT ?",
            (number, AT_ONCE),
        )
        return [(at, known.hex(), day) for at, known, day in found]

    def heard(self, relay: str) -> int:
        """Tell up to where another relay was heard."""
        found = self._file.execute("SELECT number FROM heard WHERE relay = ?", (relay,)).fetchone()
        return int(found[0]) if found else 0

    def learn(self, relay: str, rows: list[tuple[int, str, int]]) -> None:
        """Know what another relay rewrote."""
        with contextlib.closing(self._file.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(
                "INSERT INTO known (hash, day, here) VALUES (?, ?, 0)"
                " ON CONFLICT (hash) DO UPDATE SET day = max(day, excluded.day)",
                [(bytes.fromhex(known), day) for _, known, day in rows],
            )
            cursor.execute("INSERT OR REPLACE INTO heard VALUES (?, ?)", (relay, rows[-1][0]))
            cursor.execute("COMMIT")


class Line:
    """One direction of a connection, whose lines are signed, each for its place."""

    def __init__(self, key: bytes, purpose: str) -> None:
        """Sign by a key.

        :param purpose: direction and nonces, which no other connection has
        """
        self._key = hmac.digest(key, purpose.encode(), "sha256")
        self._number = 0

    def signed(self, said: Any) -> bytes:
        """Write the next line."""
        text = json.dumps(said, separators=(",", ":"))
        return f"{text}\t{self._code(text)}\n".encode()

    def read(self, line: bytes) -> Any:
        """Read the next line.

        :raises ForeignError: where it is not from who has the key
        """
        text, _, code = line.decode(errors="replace").rstrip("\n").rpartition("\t")
        if not hmac.compare_digest(code.encode(), self._code(text).encode()):
            raise ForeignError("it has not the fleet's key")
        return json.loads(text)

    def _code(self, text: str) -> str:
        self._number += 1
        return hmac.new(self._key, f"{self._number} {text}".encode(), hashlib.sha256).hexdigest()


async def heard(reader: StreamReader) -> bytes:
    """Wait for a line.

    :raises TimeoutError, ConnectionError, ForeignError: where none comes, or too long a one
    """
    try:
        line = await asyncio.wait_for(reader.readline(), PATIENCE)
    except ValueError:
        raise ForeignError("it says too much at once") from None
    if not line.endswith(b"\n"):
        raise ConnectionError("it hung up; has it the same key?")
    return line


class Teller:
    """Tells other relays what was rewritten here."""

    def __init__(self, hashes: Hashes, key: bytes) -> None:
        """Tell who has the key."""
        self._hashes, self._key = hashes, key
        self._serving = 0

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Tell one of them, until it hangs up."""
        self._serving += 1
        try:
            if self._serving <= MOST:
                await self._tell(reader, writer)
        except (OSError, ForeignError, TimeoutError, ValueError, KeyError, TypeError):
            pass  # whoever it is, it says itself what it lacks
        finally:
            self._serving -= 1
            writer.close()

    async def _tell(self, reader: StreamReader, writer: StreamWriter) -> None:
        nonce = secrets.token_hex(16)
        writer.write(f"{json.dumps({'relay': self._hashes.relay, 'nonce': nonce})}\n".encode())
        asked = Line(self._key, f"asks {nonce}").read(await heard(reader))
        line, number = Line(self._key, f"tells {nonce} {asked['nonce']}"), int(asked["after"])
        silent = SIGN_OF_LIFE  # so that it hears at once that it is understood
        while not reader.at_eof():
            rows = self._hashes.after(number)
            if rows or silent >= SIGN_OF_LIFE:
                writer.write(line.signed(rows))
                await asyncio.wait_for(writer.drain(), PATIENCE)
                number, silent = rows[-1][0] if rows else number, 0.0
            if len(rows) < AT_ONCE:
                await asyncio.sleep(PAUSE)
                silent += PAUSE


class Listener:
    """Learns from another relay what that rewrote."""

    def __init__(self, hashes: Hashes, key: bytes, status: "Status", address: str, port: int) -> None:
        """Ask the relay at an address."""
        self._hashes, self._key, self._status = hashes, key, status
        self._address, self._port = address, port

    async def listen(self) -> None:
        """Ask over and over; where it is this relay itself, no more."""
        while True:
            try:
                await self._hear()
                self._status.forget(self._address)
                return
            except ConnectionRefusedError:
                self._status.set(self._address, "it refuses to be asked")
            except (OSError, ForeignError, TimeoutError) as error:
                self._status.set(self._address, str(error) or "it does not answer")
            except (ValueError, KeyError, TypeError, IndexError):
                self._status.set(self._address, "what it says makes no sense")
            await asyncio.sleep(AGAIN)

    async def _hear(self) -> None:
        opening = asyncio.open_connection(self._address, self._port, limit=LONGEST)
        reader, writer = await asyncio.wait_for(opening, PATIENCE)
        try:
            hello = json.loads(await heard(reader))
            relay, nonce, own = hello["relay"], hello["nonce"], secrets.token_hex(16)
            if relay == self._hashes.relay:
                return
            ask = {"nonce": own, "after": self._hashes.heard(relay)}
            writer.write(Line(self._key, f"asks {nonce}").signed(ask))
            line = Line(self._key, f"tells {nonce} {own}")
            while True:
                rows = line.read(await heard(reader))
                self._status.set(self._address, "")
                if rows:
                    self._hashes.learn(relay, rows)
        finally:
            writer.close()


class Status:
    """What there is to be said of each of the others, in a file and, when it changes, in the journal."""

    def __init__(self, path: Path) -> None:
        """Nothing is known of any."""
        self._path = path
        self._said: dict[str, str] = {}

    def set(self, address: str, wrong: str) -> None:
        """Say what keeps a relay's ids from being known here; nothing does if it is empty."""
        if self._said.get(address) != wrong:
            self._said[address] = wrong
            self._write()
            if wrong:
                tell(4, f"the ids of the relay at {address} are not known here: {wrong}")
            else:
                tell(6, f"the ids of the relay at {address} are known here")

    def forget(self, address: str) -> None:
        """Say nothing of an address that is this relay's own."""
        self._said.pop(address, None)
        self._write()

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_text("".join(f"{address}\t{wrong}\n" for address, wrong in sorted(self._said.items())))
        new.replace(self._path)


def tell(level: int, text: str) -> None:
    """Write a line to the journal (sd-daemon(3))."""
    print(f"<{level}>{' '.join(text.split())}", file=sys.stderr, flush=True)


def ready() -> None:
    """Tell systemd that the others can ask (sd_notify(3))."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
            notifying.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            notifying.send(b"READY=1")


async def run(settings: Path) -> None:
    """Tell and listen, as long as the unit runs."""
    said = json.loads(settings.read_text(encoding="utf-8"))
    secret = Path(os.environ["CREDENTIALS_DIRECTORY"], "fleet").read_bytes()
    key = hmac.digest(secret, b"transport", "sha256")
    runtime = Path(os.environ["RUNTIME_DIRECTORY"])
    hashes = Hashes(runtime / "state" / "ids.sqlite")
    status = Status(runtime / "status")
    await asyncio.start_server(Teller(hashes, key).serve, None, said["port"], limit=LONGEST)
    (runtime / "pid").write_text(f"{os.getpid()}\n")
    ready()
    listeners = (Listener(hashes, key, status, one, said["port"]) for one in said["relays"])
    await asyncio.gather(*(one.listen() for one in listeners))
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path, help="JSON file")
    asyncio.run(run(parser.parse_args().settings))
