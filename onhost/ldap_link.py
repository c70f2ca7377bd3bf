"""The link from Postfix by Dovecot to the directory: an outage is no wrong password. Runs on the relay.

Dovecot's own patience with a directory is sixty seconds for an answer and five for each address that does not
answer, and all logins wait with it; none of that is a setting. Postfix waits ten for Dovecot. So Dovecot asks
at a Unix socket here, and the link goes to the first server that can be reached, by TLS from the start or by
StartTLS (RFC 4511 4.14), its certificate checked. Where none can be, or where one is silent, the link itself
answers «unavailable», which Dovecot takes for a temporary failure, and never for a wrong password.

Postfix does not know Dovecot's word for that, and would tell the user of a wrong password all the same. So
Postfix asks here too: the link hands everything on, but hangs up where Dovecot speaks of a temporary failure
or says nothing, which Postfix takes for one (454).
"""

import argparse
import asyncio
import contextlib
import os
import socket
import ssl
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

REACHED = 2.0  # seconds to reach one of the servers, TLS included; Dovecot takes six more to give a login up
ANSWERED = 3.0  # seconds until an answer begins
JUDGED = 8.0  # seconds until a login counts as not judged; Postfix's patience ends at ten
LONGEST = 1 << 20  # bytes of a message
DOVECOT = "/run/quietrelay-dovecot/postfix"
# ExtendedRequest for StartTLS, and what the response begins with if it succeeds.
START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
STARTED = bytes.fromhex("0a0100")
# The tags of requests that Dovecot sends, BindRequest and SearchRequest, with those of their last responses.
RESPONSES = {0x60: 0x61, 0x63: 0x65}
UNAVAILABLE = bytes.fromhex("0a013404000400")  # resultCode 52, no matchedDN, no diagnosticMessage


class Link:
    """The link: `serve` is called for each connection of Dovecot's."""

    def __init__(self, servers: list[str], ca: str) -> None:
        """Prepare.

        :param servers: LDAP URLs, in the order in which they are tried
        :param ca: file with the CAs of their certificates
        """
        self.servers = servers
        self.trust = ssl.create_default_context(cafile=ca)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Connect and hand messages on until one side ends; where the directory does not answer, do."""
        pending = Pending()
        to_there: StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                there, to_there = await self.connect()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(copy(reader, to_there, pending.asked))
                    tasks.create_task(copy(there, writer, pending.answered))
                    tasks.create_task(pending.watch())
            except* (OSError, asyncio.IncompleteReadError, SilenceError) as errors:
                if to_there is None:  # Dovecot's first request still has to be heard
                    pending.asked(await read_message(reader))
                for error in errors.exceptions:
                    if not isinstance(error, asyncio.IncompleteReadError):
                        tell(3, f"the directory does not answer: {error}")
            writer.write(b"".join(unavailable(request, tag) for request, tag in pending.requests.items()))
            await writer.drain()
        writer.close()
        if to_there is not None:
            to_there.close()

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """Reach the first server that can be, each in its part of the time.

        :raises OSError: when none can
        """
        for url in self.servers:
            try:
                async with asyncio.timeout(REACHED / len(self.servers)):
                    return await self.reach(url)
            except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
                tell(4, f"{url}: {str(error) or 'silent'}")
        raise OSError("no server can be reached")

    async def reach(self, url: str) -> tuple[StreamReader, StreamWriter]:
        """Connect to a server, and have TLS."""
        parts = urlsplit(url)
        secure = parts.scheme == "ldaps"
        there, to_there = await asyncio.open_connection(
            parts.hostname,
            parts.port or (636 if secure else 389),
            ssl=self.trust if secure else None,
            happy_eyeballs_delay=0.25,
        )
        if not secure:
            to_there.write(START_TLS)
            _, _, rest = parsed(await read_message(there))
            if not rest.startswith(STARTED):
                raise OSError("the server refuses StartTLS")
            await to_there.start_tls(self.trust, server_hostname=parts.hostname)
        return there, to_there


async def hand_over(reader: StreamReader, writer: StreamWriter) -> None:
    """Hand Postfix's conversation with Dovecot on, up to a temporary failure or a login that takes long."""
    with contextlib.suppress(OSError):
        there, to_there = await asyncio.open_unix_connection(DOVECOT)
        login = Login()
        ways = [
            asyncio.create_task(lines(reader, to_there, login.said)),
            asyncio.create_task(lines(there, writer, login.answered)),
            asyncio.create_task(login.late.wait()),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        login.end()
        for way in ways:
            way.cancel()
        to_there.close()
    writer.close()


class Login:
    """A login that Dovecot has not answered yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self.late = asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None

    def said(self, line: bytes) -> None:
        """Note what Postfix says."""
        if line.startswith((b"AUTH\t", b"CONT\t")):
            self.end()
            self.timer = asyncio.get_running_loop().call_later(JUDGED, self.late.set)

    def answered(self, line: bytes) -> None:
        """Note what Dovecot says."""
        if line.startswith((b"OK\t", b"FAIL\t", b"CONT\t")):
            self.end()

    def end(self) -> None:
        """Note that there is nothing to wait for."""
        if self.timer:
            self.timer.cancel()


async def lines(reader: StreamReader, writer: StreamWriter, note: Callable[[bytes], None]) -> None:
    """Hand lines on until there are no more, or one tells of a temporary failure."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: a line without an end
        while line := await reader.readline():
            if is_temporary_failure(line):
                return
            note(line)
            writer.write(line)
            await writer.drain()


def is_temporary_failure(line: bytes) -> bool:
    """Tell whether Dovecot could not judge (doc.dovecot.org, «Dovecot Authentication Protocol»)."""
    command, *words = line.rstrip(b"\n").split(b"\t")
    return command == b"FAIL" and b"code=temp_fail" in words[1:]


class SilenceError(Exception):
    """The directory owes an answer for too long."""


class Pending:
    """Requests that the directory has not answered yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self.requests: dict[bytes, int] = {}
        self.since = 0.0
        """When the directory was asked first, of those, or spoke last."""

    def asked(self, message: bytes) -> None:
        """Note a request."""
        request, tag, _ = parsed(message)
        if tag in RESPONSES:
            if not self.requests:
                self.since = asyncio.get_running_loop().time()
            self.requests[request] = RESPONSES[tag]

    def answered(self, message: bytes) -> None:
        """Note a response."""
        request, tag, _ = parsed(message)
        if self.requests.get(request) == tag:
            del self.requests[request]
        self.since = asyncio.get_running_loop().time()

    async def watch(self) -> None:
        """Wait for silence.

        :raises SilenceError: when it lasts too long
        """
        while True:
            await asyncio.sleep(ANSWERED / 10)
            if self.requests and asyncio.get_running_loop().time() - self.since > ANSWERED:
                raise SilenceError(f"silent for {ANSWERED:.0f} seconds")


async def copy(reader: StreamReader, writer: StreamWriter, note: Callable[[bytes], None]) -> None:
    """Hand messages on, noting each, until an error or the end, which is one too."""
    while True:
        message = await read_message(reader)
        note(message)
        writer.write(message)
        await writer.drain()


async def read_message(reader: StreamReader) -> bytes:
    """Read an LDAPMessage (RFC 4511 4.1.1, 5.1).

    :raises OSError: for something else
    """
    head = await reader.readexactly(2)
    size = head[1]
    if size & 0x80:
        more = await reader.readexactly(size & 0x7F)
        head += more
        size = int.from_bytes(more, "big")
    if head[0] != 0x30 or size > LONGEST:
        raise OSError("that is no LDAP")
    return head + await reader.readexactly(size)


def parsed(message: bytes) -> tuple[bytes, int, bytes]:
    """Part a message into its id, the tag of its operation, and what is in that."""
    _, body = _element(message)
    length = body[1]
    request, operation = body[2 : 2 + length], body[2 + length :]
    tag, content = _element(operation)
    return request, tag, content


def _element(data: bytes) -> tuple[int, bytes]:
    more = data[1] & 0x7F if data[1] & 0x80 else 0
    return data[0], data[2 + more :]


def unavailable(request: bytes, tag: int) -> bytes:
    """Write the response that nobody can answer a request."""
    operation = bytes([tag, len(UNAVAILABLE)]) + UNAVAILABLE
    content = bytes([2, len(request)]) + request + operation
    return bytes([0x30, len(content)]) + content


def tell(level: int, text: str) -> None:
    """Write a line to the journal (sd-daemon(3))."""
    print(f"<{level}>{' '.join(text.split())}", file=sys.stderr, flush=True)


def ready() -> None:
    """Tell systemd that the link is there (sd_notify(3))."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
            notifying.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            notifying.send(b"READY=1")


async def run(options: argparse.Namespace) -> None:
    """Serve until systemd ends it."""
    directory = Path(os.environ["RUNTIME_DIRECTORY"])
    link = Link(options.server, options.ca)
    await asyncio.start_unix_server(link.serve, str(directory / "directory"))
    server = await asyncio.start_unix_server(hand_over, str(directory / "postfix"))
    (directory / "postfix").chmod(0o660)  # the group is the unit's, sasl
    (directory / "pid").write_text(f"{os.getpid()}\n")
    ready()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ca", required=True, help="file with the CAs of the directory's certificates")
    parser.add_argument("server", nargs="+", help="LDAP URL")
    asyncio.run(run(parser.parse_args()))
