"""The gate before saslauthd: what could not be judged is no wrong password. Runs on the relay, by itself.

saslauthd(8) answers NO whether it refused a password or could not ask anybody, and libsasl takes every NO for
a wrong password: the user sees 535 and is asked for a new one. A connection that closes without an answer
becomes a temporary failure, 454. So Postfix asks here. The gate starts saslauthd, hands it each request, and
passes an OK on. A NO goes through only if saslauthd says why, and the reason is a refusal. It says so in its
log, which goes through the gate as well: in the service's own mount namespace /dev/log is a socket of the
gate's. A reason is there before its answer is, so there is no window in which an outage passes for a refusal,
and nobody has to look at the directory from outside.

Two things that saslauthd lacks are done here too: names that its modules do not treat with care are refused,
and towards an IMAP server there is TLS. A directory it asks by a link (`ldap_link.py`), which tells it of the
relay's own troubles in a code that it takes for an outage.

The protocol is that of saslauthd's socket: four strings, login, password, service and realm, are answered by
one; each is preceded by its length, 16 bits in network order.
"""

import argparse
import asyncio
import contextlib
import os
import re
import socket
import ssl
import sys
import unicodedata
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 9.0  # until a login that nobody answered is put off; Postfix needs a moment more
STUCK = 40.0  # seconds until a worker of saslauthd counts as lost
SOON = 4.0  # seconds in which a login that could not be judged is tried once more
IMAP_SECONDS = 8.0  # for a whole conversation with the IMAP server
LONGEST = 256  # bytes; saslauthd takes no longer string (MAX_REQ_LEN)

# saslauthd's last word on a request, by mechanism, as lak.c, auth_pam.c and saslauthd-main.c log it.
LAST_WORD = {
    "ldap": re.compile(r"Authentication failed for .*: .* \((-\d+)\)$"),
    "pam": re.compile(r"auth_pam: pam_\w+ failed: (.+)$"),
    "rimap": re.compile(r"auth failure: .* \[mech=rimap\] \[reason=(.*)\]$"),
}
HASH = re.compile(rb"\{[\w./-]+\}")  # as userPassword has it (RFC 2307)
# The last words that refuse; all others tell of an outage, or of something that nobody has thought of.
REFUSALS = {
    # No password to compare with, not in the group, wrong password, no such user, bind refused (lak.h).
    "ldap": {"-1", "-4", "-5", "-6", "-7"},
    "pam": {
        "Authentication failure",
        "User not known to the underlying authentication module",
        "Have exhausted maximum number of retries for service",
        "Permission denied",
        "User account has expired",
        "Authentication token expired",
        "Authentication token is no longer valid; new one required",
    },
    "rimap": {"remote server rejected your credentials"},
}


@dataclass
class Window:
    """What saslauthd logged while a request was with it."""

    last_words: set[str] = field(default_factory=set)
    outage: bool = False

    def refuses(self, mechanism: str) -> bool:
        """Tell whether every request that ended meanwhile was refused, this one among them."""
        return not self.outage and bool(self.last_words) and self.last_words <= REFUSALS[mechanism]


@dataclass(frozen=True)
class Names:
    """Which names may log in.

    + form: ``user``, ``address``, ``both``, or ``any``, which leaves it to whoever judges
    + domains: those of the addresses; empty for all
    + without: characters that no name may have
    """

    form: str
    domains: frozenset[str] = frozenset()
    without: str = ""

    def accept(self, login: bytes, realm: bytes) -> bool:
        """Judge a name, which libsasl has parted at its last @.

        What is not UTF-8, or is written so that a directory would take it for another name (RFC 4518), is
        refused; so are control characters, of which IMAP makes new commands.
        """
        try:
            user, domain = login.decode(), realm.decode()
        except UnicodeDecodeError:
            return False
        name = f"{user}@{domain}" if domain else user
        if not name.isprintable() or name != unicodedata.normalize("NFKC", name):
            return False
        if name != " ".join(name.split()) or set(name) & set(self.without):
            return False
        if self.form == "any":
            return True
        if not user or "@" in user:
            return False
        if not domain:
            return self.form in ("user", "both")
        return self.form in ("address", "both") and (not self.domains or domain.lower() in self.domains)


class Gate:
    """The gate: `serve` is called for each connection of Postfix's."""

    def __init__(self, options: argparse.Namespace, names: Names, back: Path, log: socket.socket) -> None:
        """Prepare.

        :param back: saslauthd's own socket
        :param log: datagram socket that saslauthd logs to
        """
        self.mechanism: str = options.mechanism
        self.longest_password: int = options.longest_password
        self.no_hashes: bool = options.no_hashes
        self.names = names
        self.back = str(back)
        self.log = log
        self.workers = asyncio.Semaphore(options.workers)
        self.windows: list[Window] = []
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer a request, or close without an answer."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                login, password, service, realm = [await read_string(reader) for _ in range(4)]
                if answer := await self.judge(login, password, service, realm):
                    writer.write(counted(answer))
                    await writer.drain()
        writer.close()

    async def judge(self, login: bytes, password: bytes, service: bytes, realm: bytes) -> bytes:
        """Give saslauthd's answer; none where nobody could judge."""
        fits = max(len(login), len(service), len(realm)) <= LONGEST and len(password) <= self.longest_password
        if not (fits and login and self.names.accept(login, realm) and self.may_be_right(password)):
            tell(6, f"refused unasked: {login!a} {realm!a}")
            return b"NO"
        soon = asyncio.get_running_loop().time() + SOON
        # A server that goes away takes the login with it that it is asked about. The next one knows, too.
        for _ in range(2):
            answer, window = await self.ask(login, password, service, realm)
            if answer.startswith(b"OK"):
                return b"OK"
            if window.refuses(self.mechanism):
                return b"NO"
            if asyncio.get_running_loop().time() > soon:
                break
        return b""

    def may_be_right(self, password: bytes) -> bool:
        """Refuse passwords that saslauthd would not take for what they are.

        Line ends would be commands to an IMAP server (auth_rimap.c). A hash of a scheme that saslauthd does
        not know it compares with the password itself (lak.c).
        """
        if self.mechanism == "rimap" and set(password) & set(b"\r\n"):
            return False
        return bool(password) and not (self.no_hashes and HASH.match(password))

    async def ask(self, *request: bytes) -> tuple[bytes, Window]:
        """Have saslauthd judge as soon as it has a free worker, and note what it logs meanwhile.

        A worker is free when it has answered, not when nobody waits any longer: requests that would only
        be late after an outage never reach it.
        """
        await self.workers.acquire()
        window = Window()
        exchange = asyncio.create_task(self.exchange(request, window))
        exchange.add_done_callback(lambda _: self.workers.release())
        return await asyncio.shield(exchange), window

    async def exchange(self, request: tuple[bytes, ...], window: Window) -> bytes:
        """Hold the conversation. A saslauthd that does not is ended with the gate; systemd begins anew."""
        self.windows.append(window)
        try:
            async with asyncio.timeout(STUCK):
                reader, writer = await asyncio.open_unix_connection(self.back)
                writer.write(b"".join(map(counted, request)))
                answer = await read_string(reader)
                writer.close()
                return answer
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            if not self.broken.done():
                self.broken.set_result(f"saslauthd does not answer: {error!r}")
            return b""
        finally:
            self.read_log()
            self.windows = [other for other in self.windows if other is not window]

    def read_log(self) -> None:
        """Take in what saslauthd has logged so far, and hand it on."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.note(self.log.recv(65536).decode(errors="replace"))

    def note(self, line: str) -> None:
        """Note a line in every open window, and write it to the journal."""
        level, text = parsed(line)
        tell(level, text)
        for window in self.windows:
            if found := LAST_WORD[self.mechanism].search(text):
                window.last_words.add(found[1])

    async def relay_imap(
        self, reader: StreamReader, writer: StreamWriter, options: argparse.Namespace
    ) -> None:
        """Hand saslauthd's conversation with the IMAP server on, in TLS, until the server ends it."""
        host, _, port = options.imap.rpartition(":")
        with contextlib.ExitStack() as ending:
            ending.callback(writer.close)
            try:
                async with asyncio.timeout(IMAP_SECONDS):
                    trust = ssl.create_default_context(cafile=options.ca)
                    there, to_there = await asyncio.open_connection(
                        host.strip("[]"), int(port), ssl=trust, happy_eyeballs_delay=0.25
                    )
                    ending.callback(to_there.transport.abort)
                    sending = asyncio.create_task(copy(reader, to_there))
                    ending.callback(sending.cancel)
                    await self.copy_judgement(there, writer)
            except (ConnectionResetError, BrokenPipeError):
                pass  # saslauthd has heard enough
            except OSError as error:
                tell(3, f"IMAP server {options.imap}: {str(error) or 'silent'}")

    async def copy_judgement(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Hand on what the IMAP server says; its own outage is one of the relay's too (RFC 5530)."""
        while line := await reader.readline():
            if b" NO [UNAVAILABLE]" in line:
                for window in self.windows:
                    window.outage = True
            writer.write(line)
            await writer.drain()


async def copy(reader: StreamReader, writer: StreamWriter) -> None:
    """Hand bytes on until there are no more."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def counted(text: bytes) -> bytes:
    """Write a string with its length before it."""
    return len(text).to_bytes(2, "big") + text


async def read_string(reader: StreamReader) -> bytes:
    """Read a string that its length precedes."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))


def parsed(line: str) -> tuple[int, str]:
    """Part a line as syslog(3) sends it, ``<PRI>DATE saslauthd[PID]: TEXT``, into level and text."""
    found = re.match(r"<(\d+)>\w{3} [ \d]\d [\d:]{8} ([^:]*: )?(.*)", line, re.DOTALL)
    return (int(found[1]) & 7, found[3]) if found else (4, line)


def tell(level: int, text: str) -> None:
    """Write a line to the journal (sd-daemon(3))."""
    print(f"<{level}>{' '.join(text.split())}", file=sys.stderr, flush=True)


def ready() -> None:
    """Tell systemd that logins can come (sd_notify(3))."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
            notifying.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            notifying.send(b"READY=1")


async def start_saslauthd(words: list[str], back: Path) -> None:
    """Start it and wait until it listens: it goes to the background a moment earlier."""
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise SystemExit("saslauthd did not start; its words are above")
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_unix_connection(str(back))
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def run(options: argparse.Namespace) -> None:
    """Start saslauthd behind the gate, and serve until one of them breaks."""
    directory = Path(os.environ["RUNTIME_DIRECTORY"])
    inner = directory / "behind"
    inner.mkdir(mode=0o700, exist_ok=True)
    back = inner / "mux"
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    log.bind(os.path.realpath("/dev/log"))
    names = Names(options.names, frozenset(options.domain), options.without)
    gate = Gate(options, names, back, log)
    asyncio.get_running_loop().add_reader(log, gate.read_log)

    workers = 0 if options.afresh else options.workers
    words = f"/usr/sbin/saslauthd -a {options.mechanism} -r -m {inner} -n {workers}".split()
    if options.cache:
        words += ["-c", "-t", str(options.cache)]
    if options.imap:
        relay = await asyncio.start_server(
            lambda reader, writer: gate.relay_imap(reader, writer, options), "127.0.0.1", 0
        )
        words += ["-O", "127.0.0.1/{1}".format(*relay.sockets[0].getsockname())]
    if conf := os.environ.get("CREDENTIALS_DIRECTORY"):
        words += ["-O", f"{conf}/saslauthd.conf"]
    await start_saslauthd(words, back)

    socket_path = directory / "mux"
    await asyncio.start_unix_server(gate.serve, str(socket_path), backlog=1024)
    socket_path.chmod(0o666)  # the directory is for group sasl alone
    (directory / "saslauthd.pid").write_text(f"{os.getpid()}\n")
    ready()
    raise SystemExit(await gate.broken)


def parser() -> argparse.ArgumentParser:
    """Say what the command line takes; the unit file has it."""
    taken = argparse.ArgumentParser(description=__doc__)
    taken.add_argument("--mechanism", choices=sorted(LAST_WORD), required=True)
    taken.add_argument("--workers", type=int, required=True)
    taken.add_argument("--cache", type=int, default=0, help="seconds")
    taken.add_argument("--names", choices=["user", "address", "both", "any"], default="any")
    taken.add_argument("--domain", action="append", default=[], help="of addresses that may log in")
    taken.add_argument("--without", default="", help="characters that no name may have")
    taken.add_argument("--longest-password", type=int, default=LONGEST, help="bytes")
    taken.add_argument("--afresh", action="store_true", help="a process for each login")
    taken.add_argument("--no-hashes", action="store_true", help="refuse passwords that look like hashes")
    taken.add_argument("--imap", help="HOST:PORT of the IMAP server")
    taken.add_argument("--ca", help="file with the CA of its certificate")
    return taken


if __name__ == "__main__":
    asyncio.run(run(parser().parse_args()))
