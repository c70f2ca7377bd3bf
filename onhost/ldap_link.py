"""The link to the directory: an outage is no wrong password, and a locked user no outage. Runs on the relay.

Whoever checks passwords, saslauthd or Dovecot, asks the directory at a Unix socket here. The link goes to
the first server that can be reached, by TLS from the start or by StartTLS (RFC 4511 4.14), its certificate
checked; on the host itself there may be none. Where no server can be reached, or where one is silent, the
link itself answers that it failed. Dovecot's own patience is sixty seconds for an answer and five for each
address that does not answer, and all logins wait with it; none of that is a setting.

Directories refuse a user by many codes (a locked one by 53 or 19, say), of which saslauthd and Dovecot know
a few, and take the others for an outage. And they refuse the relay's own entry by the same codes. The link
knows whose bind it is, and so its answer is one of three: success, wrong password, failure.

Postfix does not know Dovecot's word for a failure, and would tell the user of a wrong password all the same.
So Postfix asks here too: the link hands everything on, but hangs up where Dovecot speaks of a temporary
failure or says nothing, which Postfix takes for one (454).
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
from urllib.parse import unquote, urlsplit

REACHED = 3.0  # seconds to reach one of the servers, TLS included
JUDGED = 9.0  # seconds until a login counts as not judged; Postfix's patience ends at ten
LONGEST = 1 << 20  # bytes of a message
DOVECOT = "/run/quietrelay-dovecot/postfix"
LDAPI = "/var/run/slapd/ldapi"  # Debian's, for ldapi:///
# ExtendedRequest for StartTLS, and what the response begins with if it succeeds.
START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
STARTED = bytes.fromhex("0a0100")
# The tags of requests, BindRequest and SearchRequest, with those of their last responses.
BIND, BOUND, SEARCH, FOUND = 0x60, 0x61, 0x63, 0x65
RESPONSES = {BIND: BOUND, SEARCH: FOUND}
# The number of what nobody asked for: a server says that it hangs up (RFC 4511 4.4.1), and saslauthd would
# take a search that is on its way for one that found nobody.
UNASKED = b"\0"
REFERENCE = 0x73  # SearchResultReference: a server that nobody here has said to trust
# Result codes (RFC 4511 A.2). By these a directory refuses a user: the password, the entry or its state.
WRONG = 49
REFUSALS = {8, *range(16, 22), *range(32, 37), 48, WRONG, 50, 53}
# A search that was held, whether or not there is somebody (32), or more than can be told (4).
HELD = {0, 4, 32}
# What saslauthd and Dovecot take for an outage: a bind «unavailable», a search «other» (lak.c, db-ldap.c).
FAILED = {BOUND: 52, FOUND: 80}


class Link:
    """The link: `serve` is called for each connection of Dovecot's."""

    def __init__(
        self, servers: list[str], ca: str, own: str = "", answered: float = 3.0, plain: bool = False
    ) -> None:
        """Prepare.

        :param servers: LDAP URLs, in the order in which they are tried
        :param ca: file with the CAs of their certificates
        :param own: DN of the relay's own entry; empty where it searches as nobody
        :param answered: seconds until an answer begins
        :param plain: whether there is no TLS on ``ldap://``
        """
        self.servers = servers
        self.trust = ssl.create_default_context(cafile=ca)
        self.own = own.encode()
        self.patience = answered
        self.plain = plain

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Connect and hand messages on until one side ends; where the directory does not answer, do."""
        pending = Pending(self.own, self.patience)
        to_there: StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                there, to_there = await self.connect()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(copy(reader, to_there, pending.asked))
                    tasks.create_task(copy(there, writer, pending.answered))
                    tasks.create_task(pending.watch())
            except* (OSError, asyncio.IncompleteReadError, SilenceError) as errors:
                if to_there is None:  # the first request still has to be heard
                    pending.asked(await read_message(reader))
                for error in errors.exceptions:
                    if not isinstance(error, asyncio.IncompleteReadError):
                        tell(3, f"the directory does not answer: {error}")
            writer.write(b"".join(response(request, tag, FAILED[tag]) for request, tag in pending.owed()))
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
        """Connect to a server, and have TLS wherever there is a network between."""
        parts = urlsplit(url)
        if parts.scheme == "ldapi":
            return await asyncio.open_unix_connection(unquote(parts.netloc) or LDAPI)
        secure = parts.scheme == "ldaps"
        there, to_there = await asyncio.open_connection(
            parts.hostname,
            parts.port or (636 if secure else 389),
            ssl=self.trust if secure else None,
            happy_eyeballs_delay=0.25,
        )
        if not secure and not self.plain:
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

    def __init__(self, own: bytes = b"", patience: float = 3.0) -> None:
        """Begin with none.

        :param own: DN of the relay's own entry
        :param patience: seconds until an answer begins
        """
        self.own = own
        self.patience = patience
        self.requests: dict[bytes, tuple[int, bool]] = {}
        """Number of a request to the tag of its last response, and whether it is the relay's own."""
        self.since = 0.0
        """When the directory was asked first, of those, or spoke last."""

    def asked(self, message: bytes) -> bytes:
        """Note a request, and hand it on."""
        request, tag, content = parsed(message)
        if tag in RESPONSES:
            if not self.requests:
                self.since = asyncio.get_running_loop().time()
            self.requests[request] = RESPONSES[tag], tag == SEARCH or bound_name(content) == self.own
        return message

    def answered(self, message: bytes) -> bytes:
        """Note a response, and hand on what it comes to."""
        request, tag, content = parsed(message)
        self.since = asyncio.get_running_loop().time()
        if tag == REFERENCE or request == UNASKED:
            return b""
        wanted, own = self.requests.get(request, (0, True))
        if wanted != tag:
            return message
        del self.requests[request]
        code = int.from_bytes(content[2 : 2 + content[1]], "big")
        verdict = judged(tag, code, own)
        if verdict == code:
            return message
        if verdict == FAILED[tag]:
            whose = "the search" if tag == FOUND else "the relay's own entry" if own else "a user's bind"
            tell(3, f"the directory answers {whose} with result code {code}")
        return response(request, tag, verdict)

    def owed(self) -> list[tuple[bytes, int]]:
        """List the requests that are not answered, each with the tag of its response."""
        return [(request, tag) for request, (tag, _) in self.requests.items()]

    async def watch(self) -> None:
        """Wait for silence.

        :raises SilenceError: when it lasts too long
        """
        while True:
            await asyncio.sleep(self.patience / 10)
            if self.requests and asyncio.get_running_loop().time() - self.since > self.patience:
                raise SilenceError(f"silent for {self.patience:.0f} seconds")


def judged(tag: int, code: int, own: bool) -> int:
    """Tell what a result comes to for whoever asked.

    :param tag: the response's
    :param code: result code (RFC 4511 A.2)
    :param own: whether it is about the relay itself, and not about a user's password
    """
    if code in (HELD if tag == FOUND else {0}):
        return code
    return WRONG if code in REFUSALS and not own else FAILED[tag]


async def copy(reader: StreamReader, writer: StreamWriter, through: Callable[[bytes], bytes]) -> None:
    """Hand messages on, or what they come to, until an error or the end, which is one too."""
    while True:
        writer.write(through(await read_message(reader)))
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


def bound_name(content: bytes) -> bytes:
    """Read the name of a BindRequest: it stands behind the version (RFC 4511 4.2)."""
    name = content[2 + content[1] :]
    size = name[1]
    if not size & 0x80:
        return name[2 : 2 + size]
    begin = 2 + (size & 0x7F)
    return name[begin : begin + int.from_bytes(name[2:begin], "big")]


def response(request: bytes, tag: int, code: int) -> bytes:
    """Write a response with nothing but a result code."""
    result = bytes([0x0A, 1, code, 4, 0, 4, 0])  # no matchedDN, no diagnosticMessage
    content = bytes([2, len(request)]) + request + bytes([tag, len(result)]) + result
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
    """Serve until systemd ends it. The sockets are for the unit's group, sasl."""
    directory = Path(os.environ["RUNTIME_DIRECTORY"])
    link = Link(options.server, options.ca, options.own, options.answered, options.plain)
    # Postfix's is there without Dovecot too: while one of the two is exchanged for the other, both are asked.
    for name, serve in (("directory", link.serve), ("postfix", hand_over)):
        await asyncio.start_unix_server(serve, str(directory / name), backlog=1024)
        (directory / name).chmod(0o660)
    (directory / "pid").write_text(f"{os.getpid()}\n")
    ready()
    await asyncio.Event().wait()


def parser() -> argparse.ArgumentParser:
    """Say what the command line takes; the unit file has it."""
    taken = argparse.ArgumentParser(description=__doc__)
    taken.add_argument("--ca", required=True, help="file with the CAs of the directory's certificates")
    taken.add_argument("--own", default="", help="DN of the relay's own entry")
    taken.add_argument("--answered", type=float, default=3.0, help="seconds until an answer begins")
    taken.add_argument("--plain", action="store_true", help="no TLS on ldap://, for a server on this host")
    taken.add_argument("--server", action="append", required=True, help="LDAP URL; the first that answers")
    return taken


if __name__ == "__main__":
    asyncio.run(run(parser().parse_args()))
