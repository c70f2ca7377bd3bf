"""Tells Postfix where DANE decides, so that no MTA-STS policy overrides it. Runs on the relay, by itself.

Postfix looks for a destination's TLS policy in one table after the other (postconf(5), smtp_tls_policy_maps;
socketmap_table(5)), and what MTA-STS says there would take the place of a published key, which it must not
(RFC 8461 2). So this table comes first: where a server of the destination has TLSA records, validated by
DNSSEC, the answer is `dane`, as it is without MTA-STS; elsewhere there is none, and MTA-STS is asked. What
DNS does not tell makes mail wait.

It asks the host's resolver, which was found to validate, over TCP (RFC 7766), so that nothing is cut off.
Standard library only; Python 3.11.
"""

import argparse
import asyncio
import contextlib
import os
import re
import secrets
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

MX, TLSA, OPT = 15, 52, 41  # RFC 1035 3.2.2, RFC 6698 7.1, RFC 6891 6.1.1
NO_ERROR, NO_SUCH_NAME = 0, 3
PATIENCE = 5  # seconds for an answer
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
DESTINATION = re.compile(
    r"\[(?P<host>[^]]*)\](?::(?P<port>\d+))?|(?P<domain>[^:]*)(?::(?P<domain_port>\d+))?"
)


class UnknownError(Exception):
    """DNS did not tell."""


class Answer(NamedTuple):
    """What DNS says: the records' data, and whether that is validated."""

    validated: bool
    records: list[bytes]
    names: list[str]
    """The names at the ends of MX records."""


Ask = Callable[[str, int], Awaitable[Answer]]


async def decides(destination: str, ask: Ask) -> bool:
    """Tell whether DANE decides about a destination.

    :param destination: as Postfix has it: ``example.com``, ``[mx.example.com]:587``
    :param ask: looks a name up, for records of a type
    :raises UnknownError: where DNS does not tell
    """
    parts = DESTINATION.fullmatch(destination)
    if not parts:
        return False
    port = parts["port"] or parts["domain_port"] or "25"
    if parts["host"] is not None:
        servers = [parts["host"]]
    else:
        found = await ask(parts["domain"], MX) if NAME.fullmatch(parts["domain"]) else None
        if not found or not found.validated:  # an exchanger that anybody may have named proves nothing
            return False
        servers = found.names or [parts["domain"]]  # RFC 5321 5.1
    names = [
        f"_{port}._tcp.{server}" for server in servers if NAME.fullmatch(server) and not _is_address(server)
    ]
    for answer in await asyncio.gather(*(ask(name, TLSA) for name in names)):
        if answer.validated and answer.records:
            return True
    return False


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"[\d.]+|(?i:ipv6:.*)", text))


# --- DNS


async def look_up(server: str, name: str, kind: int, port: int = 53) -> Answer:
    """Ask a resolver for records.

    :param server: its address
    :param kind: the type of the records
    :raises UnknownError: where it does not tell
    """
    writer = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(server, port)
            asked = question(name, kind)
            writer.write(len(asked).to_bytes(2) + asked)
            message = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        if message[:2] != asked[:2]:
            raise UnknownError("another question's answer")
        return read(message, kind)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, IndexError) as error:
        raise UnknownError(f"{type(error).__name__} {error}") from None
    finally:
        if writer:
            writer.close()


def question(name: str, kind: int) -> bytes:
    """Write a query for validated records (RFC 1035 4.1, RFC 6840 5.7)."""
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("ascii").split(b"."))
    header = secrets.token_bytes(2) + bytes([0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1])
    extended = bytes([0, 0, OPT, 0x10, 0, 0, 0, 0x80, 0, 0, 0])
    return header + labels + b"\0" + kind.to_bytes(2) + b"\0\1" + extended


def read(message: bytes, kind: int) -> Answer:
    """Read an answer.

    :raises UnknownError: where it is none
    :raises IndexError: where it is cut off
    """
    code = message[3] & 0xF
    if code not in (NO_ERROR, NO_SUCH_NAME):
        raise UnknownError(f"code {code}")
    _, place = _name(message, 12)
    place += 4
    records, names = [], []
    for _ in range(int.from_bytes(message[6:8])):
        _, place = _name(message, place)
        length = int.from_bytes(message[place + 8 : place + 10])
        start = place + 10
        if int.from_bytes(message[place : place + 2]) == kind:
            records.append(message[start : start + length])
            if kind == MX:
                names.append(_name(message, start + 2)[0])
        place = start + length
    return Answer(bool(message[3] & 0x20), records, [name for name in names if name])


def _name(message: bytes, place: int) -> tuple[str, int]:
    """Read a name, and say where it ends (RFC 1035 4.1.4)."""
    labels: list[str] = []
    end = 0
    while length := message[place]:
        if length >= 0xC0:
            end = end or place + 2
            to = int.from_bytes(message[place : place + 2]) & 0x3FFF
            if to >= place:  # a pointer leads back
                raise IndexError("a name that leads nowhere")
            place = to
        else:
            labels.append(message[place + 1 : place + 1 + length].decode("ascii", "replace"))
            place += 1 + length
    return ".".join(labels), end or place + 1


# --- Postfix


class Server:
    """Answers Postfix: netstrings, a map's name and a key asked, a status and a text answered."""

    def __init__(self, ask: Ask) -> None:
        """Answer by what DNS says."""
        self.ask = ask

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one of Postfix's processes until it goes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while True:
                length = (await reader.readuntil(b":"))[:-1]
                if not length.isdigit():
                    break
                request = await reader.readexactly(int(length) + 1)
                answer = (await self.reply(request[:-1].decode("latin-1").partition(" ")[2])).encode()
                writer.write(b"%d:%s," % (len(answer), answer))
                await writer.drain()
        writer.close()

    async def reply(self, destination: str) -> str:
        """Answer in the words of the protocol."""
        if destination.startswith("."):  # a parent's policy (postconf(5)), which neither has
            return "NOTFOUND "
        try:
            return "OK dane" if await decides(destination, self.ask) else "NOTFOUND "
        except UnknownError as error:
            print(f"<4>{destination}: DNS does not tell: {error}", file=sys.stderr, flush=True)
            return "TEMP DNS does not tell whether a key is published"


def resolvers(resolv_conf: str) -> list[str]:
    """Name the host's resolvers (resolv.conf(5))."""
    words = [line.split() for line in resolv_conf.splitlines()]
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"] or ["127.0.0.1"]


async def ask_any(name: str, kind: int) -> Answer:
    """Ask the first of the host's resolvers that tells.

    :raises UnknownError: where none does
    """
    reasons = []
    for server in resolvers(Path("/etc/resolv.conf").read_text(encoding="utf-8")):
        try:
            return await look_up(server, name, kind)
        except UnknownError as error:
            reasons.append(f"{server}: {error}")
    raise UnknownError(", ".join(reasons))


def ready() -> None:
    """Tell systemd that Postfix can ask (sd_notify(3))."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
            notifying.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            notifying.send(b"READY=1")


async def run(port: int) -> None:
    """Serve on loopback, where Postfix's smtp(8) gets to also from its chroot."""
    server = await asyncio.start_server(Server(ask_any).serve, "127.0.0.1", port)
    Path(os.environ["RUNTIME_DIRECTORY"], "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    ready()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    asyncio.run(run(parser.parse_args().port))
