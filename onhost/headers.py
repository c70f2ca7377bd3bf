"""Judges the headers that take more than a pattern: ids of messages, and dates. Runs on the relay, by itself.

Postfix asks here about those headers of users' mail (header_checks(5), socketmap_table(5)), each whole, with
its folds. The answer is REPLACE with what leaves, or that nothing is to be done; the guard behind it then
sees for itself that no id tells. What cannot be answered makes mail wait, and so does a server that is away.

An id tells where it was made if it ends in an address, in a name that nobody else knows, or in one of a
connection at home. A user's own gets the relay's name in the place of that. In headers that name other
messages it may be a stranger's, which everybody knows as it is: it stays, unless it was rewritten here. That
is known by a keyed hash of it, which is kept for as long as the inventory says.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import os
import re
import secrets
import socket
import sqlite3
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import format_datetime, mktime_tz, parsedate_tz
from pathlib import Path
from typing import Protocol

LONGEST = 90_000  # bytes; Postfix takes no answer over 100,000 (dict_sockmap.c)
DAY = 86_400  # seconds

OWN = ("message-id", "resent-message-id")  # made by the user's program for this very message
REPLACING = ("content-id", "supersedes", "obsoletes")  # the user's own, of this message or an earlier one
NAMING = (*OWN, "content-id")  # what this very message is called
DATES = ("date", "resent-date")

FLAGS = re.ASCII | re.IGNORECASE  # a byte is no letter, nor a blank, because Latin-1 has one there
NARROW = r"""[^\s<>()@",;]"""
WIDE = r"[^\s<>()@]"
LABEL = r"""[^\s<>()@",;.:]"""
END = rf"(?::\d*+)?\.*+(?!{NARROW})"  # a port may follow, and dots too many
# A right side, but for commas and the like at its end, and for the left side of an id that follows one.
RUN = re.compile(rf"""(?>{WIDE}*{NARROW}(?![^\s<>()",;])|[",;]*+{NARROW}++)""", FLAGS)
LITERAL = re.compile(r"\[[^]<>@]*+\]?+", FLAGS)
# Blanks and comments may stand before a right side, but not before what only looks like one in a text.
BEFORE = re.compile(r"(?:\s++|\([^()<>@]*+\))++(?=[^<>()@]++[\s()]*+>)", FLAGS)
ALONE = re.compile(rf"""[",;]*+(?:[\da-f.]*+:[\da-f:.]++(?!{NARROW})|{LABEL}++{END})""", FLAGS)
NAME = re.compile(r"""[",;]*([^\s<>()@",;:]+)""", FLAGS)
ENDED = re.compile(rf"(?::\d*)?(?!{NARROW})", FLAGS)
# Four bytes as an address has them: of the first ones, those from 224 on are nobody's.
FOUR_BYTES = r"(?:0[1-9a-f]|[1-9a-d][\da-f])[\da-f]{6}"
# Where an address, or the number of a line or card, is part of a name, or a label that only customers'
# names have. The sign before a right side is looked for as well: the guard has these patterns too.
OF_A_LINE = {
    "an address": r"(?<!\d)(?:\d{1,3}[._-]){3}\d{1,3}(?!\d)",
    "an address of twelve digits": r"(?<!\d)(?:[01]\d\d|2[0-4]\d|25[0-5]){4}(?!\d)",  # 083059173106
    # 106.red-83-59-173
    "an address in pieces": r"(?<!\d)\d{1,3}\.[a-z]{1,20}-?\d{1,3}-\d{1,3}-\d{1,3}(?!\d)",
    # p5B155F43.dip0.example.net; what else has such a label is named by fewer labels,
    "an address in hexadecimal": rf"(?<![^.@])(?:[a-z]{{1,4}}-?+|0x)?(?=[a-f]{{0,7}}\d){FOUR_BYTES}"
    rf"(?=(?:-[a-z\d]{{1,20}}+)?(?:\.{LABEL}{{1,63}}){{3}})",
    # or has no other letter before it.
    "an address in hexadecimal behind a letter": r"(?<![^.@])[g-z]-?(?=[\da-f]{0,7}[a-f])(?=[a-f]{0,7}\d)"
    rf"{FOUR_BYTES}(?=\.{LABEL}{{1,63}}\.{LABEL})",
    # p200300d06f3e9875...
    "sixteen bytes": r"(?<![^.@])[a-z]{0,4}-?(?:2[0468a]|f[cde])[\da-f]{30}(?![\da-f])",
    # 2001-db8-0-0-0-0-0-7
    "an address of IPv6": r"(?<![\da-f])2[\da-f]{3}(?:--?[\da-f]{1,4}){4,7}(?![\da-f])",
    "a network card": r"(?<![^.@])(?:[a-z]{1,8}-|[a-z]{1,4})?(?=[\da-f]{0,11}[a-f])(?=[a-f]{0,11}\d)"
    rf"[\da-f]{{12}}(?=\.{LABEL}{{1,63}}\.{LABEL})",
    # 00-16-cb-aa-12-34
    "a network card in pieces": r"(?<![\da-f])(?:[\da-f]{2}[-_]){5}[\da-f]{2}(?![\da-f])",
    "a label of customers": r"(?<![^.@-])(?:dyn(?:amic)?(?:-?ip)?|dhcp|ppp(?:oe)?|[av]?dsl|dial-?(?:up|in)"
    rf"|dip|cpe|hsd|slip|fios|abo|lightspeed)\d{{0,4}}+(?=[.-]{LABEL}{{1,63}}\.{LABEL})",
    # pcp02138704pcs, p2198-ipbfp1003osaka
    "a line's number": r"(?<![^.@])(?:pcp\d{4,12}pcs|p\d{1,5}-ip[a-z]{2,6}\d{1,8}[a-z\d]{1,50}+)"
    rf"\.{LABEL}",
    # kitchen.dyndns-home.com, kitchen.no-ip.org
    "dynamic DNS": rf"(?<=\.)(?:my)?(?:dyn-?dns|ddns|dyn-?ip|no-?ip)[a-z\d-]{{0,20}}+\.{LABEL}",
    # kitchen.is-a-chef.com
    "dynamic DNS in words": r"(?<=\.)(?:is-an?-[a-z-]{3,24}+|from-[a-z]{2})\.(?:com|net|org)(?![a-z])",
}
LINES = re.compile("|".join(OF_A_LINE.values()), FLAGS)
IPV4 = r"(?:\d{1,3}\.){3}\d{1,3}"
IPV6 = rf"(?:[\da-f]{{0,4}}+:){{1,8}}+(?:{IPV4}|[\da-f]{{0,4}}+)"  # RFC 4291 2.2
# SquirrelMail wrote the browser's address into the left side, Outlook Express the computer's, in hexadecimal
# digits, and JavaMail the login, unless it is a server's, the same for all. What the groups have stays.
SERVERS = (
    r"root|nobody|daemon|system|admin(?:istrator)?|app|apache|httpd|tomcat\d{0,2}|jboss|www(?:-data)?|zimbra"
    r"|open-xchange|coremail|javamailuser|yahoo|ngmail|fmail"
)
OF_A_LEFT_SIDE = (
    rf"()\.(?:{IPV4}|{IPV6})(\.\d{{1,20}}+\.squirrel)(?=@|\Z)",
    r"(\$[\da-f]{8})\$[\da-f]{8}()(?=@|\Z)",
    rf"(\.JavaMail)\.(?!(?:{SERVERS})(?:@|\Z))[^\s<>()@]{{1,64}}+()(?=@|\Z)",
)
LEFT_SIDES = tuple(re.compile(pattern, FLAGS) for pattern in OF_A_LEFT_SIDE)
LONGEST_LEFT = 140  # characters that those look at
# An id in brackets, whatever it holds; and what it ought to be (RFC 5322 3.6.4).
BRACKETED = re.compile(r"<[^<>()@]*@[^<>()]*>", FLAGS)
PROPER = re.compile(r"<[^\s<>()@]{1,400}@[^\s<>()@]{1,400}>", FLAGS)
BY_LOT = re.compile(r"[a-z2-7]{50}@[a-z2-7]{12}\Z")  # NeoMutt draws both sides (send.c, gen_msgid)


class Known(Protocol):
    """What was rewritten here."""

    def add(self, message_id: str) -> None:
        """Know it from now on."""

    def __contains__(self, message_id: str) -> bool:
        """Tell whether it is known."""


class Judge:
    """Says what becomes of a header."""

    def __init__(
        self,
        hostname: str,
        top_level_domains: Collection[str],
        private_domains: Collection[str],
        known: Known | None = None,
    ) -> None:
        """Prepare.

        :param hostname: the relay's name; what it ends in is taken for a top-level domain
        :param private_domains: names below them were given at home
        :param known: what was rewritten; None if strangers' ids are rewritten like the user's own
        """
        self.hostname = hostname
        self.ends = {*top_level_domains, hostname.rpartition(".")[2]}
        self.private = frozenset(private_domains)
        self.known = known

    def answer(self, header: str) -> str | None:
        """Say what becomes of a header.

        :param header: name, colon and value, each character a byte of it
        :returns: what takes its place; nothing if it goes; None if it may stay as the guard finds it
        """
        name, colon, value = header.partition(":")
        kind = name.rstrip(" \t").lower()
        if kind in DATES:
            return f"{name}: {in_utc(value)}"
        rewritten = self.rewritten(value, kind)
        leaves = value if rewritten is None else rewritten
        if kind in NAMING and leaves.strip() and _is_more_than_ids(leaves):
            return f"{name}{colon} {self._one_of(leaves)}"
        if rewritten is None:
            return None
        return f"{name}{colon}{rewritten}" if len(header) <= LONGEST else ""

    def rewritten(self, value: str, kind: str) -> str | None:
        """Rewrite the ids in a header's value.

        :param kind: the header's name in small letters
        :returns: None where there is nothing that the guard could take for an id that tells
        """
        last, *rest = value.split("@")  # what is not done yet, up to the next sign
        done, judged = [], False
        for number, piece in enumerate(rest, 1):
            left = _last_word(last)
            # With the next sign, for a word before that is a left side.
            right, kept = self.told(piece if number == len(rest) else f"{piece}@"), _without_address(left)
            judged = judged or right is not None or kept is not None
            if right is None:
                found = RUN.match(piece) if kept is not None else None
                right = found[0] if found else ""
            telling = f"{left}@{right}"
            if (right or kept is not None) and not BY_LOT.search(telling) and self.goes(telling, kind):
                before = last[: len(last) - len(left)]
                done.append(f"{before}{left if kept is None else kept}@{self.hostname}")
                last = piece[len(right) :]
            else:
                done.append(f"{last}@")
                last = piece
        return "".join([*done, last]) if judged else None

    def _one_of(self, value: str) -> str:
        """Give the id in a value that holds more than that, or one drawn by lot: the rest may tell."""
        found = PROPER.search(value)
        return found[0] if found else f"<{secrets.token_hex(16)}@{self.hostname}>"

    def goes(self, message_id: str, kind: str) -> bool:
        """Tell whether an id that tells is the user's own, and know it again if it is this message's."""
        if self.known is None or kind in REPLACING:
            return True
        if kind in OWN:
            self.known.add(message_id)
            return True
        return message_id in self.known

    def told(self, piece: str) -> str | None:
        """Give the right side at the start of a text where it tells; None where it does not."""
        if before := BEFORE.match(piece):
            right = self.told(piece[before.end() :])
            return None if right is None else before[0] + right
        if piece.startswith("(none)"):
            return "(none)"
        if literal := LITERAL.match(piece):
            more = RUN.match(piece, literal.end())
            return literal[0] + (more[0] if more else "")
        run = RUN.match(piece)
        if not run or not (ALONE.match(piece) or self._is_a_line(piece, run[0])):
            return None
        return run[0] + ("(none)" if piece.startswith("(none)", run.end()) else "")

    def _is_a_line(self, piece: str, run: str) -> bool:
        if LINES.search(run):
            return True
        name = NAME.match(piece)
        if not name:
            return False
        end = ENDED.match(piece, name.end())
        if not end or end.end() < len(run):
            return True
        labels = _as_text(name[1][-250:]).lower().strip(".").split(".")
        below = {".".join(labels[-count:]) for count in range(1, 7)}
        return labels[-1] not in self.ends or not below.isdisjoint(self.private)


def _is_more_than_ids(value: str) -> bool:
    """Tell whether there is text beside ids, or what only looks like one."""
    words = BRACKETED.sub(" ", value).split()
    return any("@" not in word or not {*"<>()"}.isdisjoint(word.removeprefix("<")) for word in words)


def _last_word(text: str) -> str:
    return text[1 + max(text.rfind(sign) for sign in " \t\r\n<>()@") :]


def _without_address(left: str) -> str | None:
    """Take what tells off a left side; None where nothing does."""
    start, end = left[:-LONGEST_LEFT], left[-LONGEST_LEFT:]
    for pattern in LEFT_SIDES:
        if found := pattern.search(end):
            return f"{start}{end[: found.start()]}{found[1]}{found[2]}"
    return None


def _as_text(octets: str) -> str:
    return octets.encode("latin-1").decode("utf-8", "replace")


def in_utc(value: str) -> str:
    """Write a date as the same moment in UTC (RFC 5322 3.3); what is none becomes now."""
    parsed = parsedate_tz(value)
    with contextlib.suppress(ValueError, OverflowError):  # a day or a year that there is none of
        if parsed:
            return format_datetime(datetime.fromtimestamp(mktime_tz(parsed), UTC))
    return format_datetime(datetime.now(UTC))


class Memory:
    """Keyed hashes of ids, in a file. Who has the file and not the key cannot even try names."""

    def __init__(self, directory: Path, days: int, secret: bytes | None = None) -> None:
        """Open it.

        :param directory: of this program, and of fleet.py; the key is made there
        :param days: for which an id is known
        :param secret: what the key is made of, where a fleet has one in common
        :raises OSError, sqlite3.Error: where it cannot be opened
        """
        self.days = days
        self._key = hmac.digest(secret, b"ids", "sha256") if secret else _key(directory / "key")
        self._file = sqlite3.connect(directory / "ids.sqlite", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS known (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " hash BLOB NOT NULL UNIQUE, day INTEGER NOT NULL, here INTEGER NOT NULL)"
        )
        self._today = 0

    def add(self, message_id: str) -> None:
        """Know an id from now on, and forget those that are too old."""
        today = int(time.time() // DAY)
        if today != self._today:
            self._file.execute("DELETE FROM known WHERE day <= ?", (today - self.days,))
            self._today = today
        self._file.execute(
            "INSERT OR REPLACE INTO known (hash, day, here) VALUES (?, ?, 1)", (self._hash(message_id), today)
        )

    def __contains__(self, message_id: str) -> bool:
        """Tell whether an id is known."""
        found = self._file.execute("SELECT 1 FROM known WHERE hash = ?", (self._hash(message_id),))
        return found.fetchone() is not None

    def _hash(self, message_id: str) -> bytes:
        return hmac.digest(self._key, message_id.encode("latin-1"), "sha256")[:16]


def _key(path: Path) -> bytes:
    with contextlib.suppress(FileExistsError):
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_bytes(secrets.token_bytes(32))
        os.link(new, path)
    path.with_suffix(".new").unlink(missing_ok=True)
    return path.read_bytes()


class Server:
    """Answers Postfix: netstrings, a map's name and a key asked, a status and a text answered."""

    def __init__(self, judge: Judge) -> None:
        """Answer by this judge."""
        self.judge = judge

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one of Postfix's processes until it goes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while True:
                length = (await reader.readuntil(b":"))[:-1]
                if not length.isdigit():
                    break
                request = await reader.readexactly(int(length) + 1)
                answer = self.reply(request[:-1].decode("latin-1").partition(" ")[2]).encode("latin-1")
                writer.write(b"%d:%s," % (len(answer), answer))
                await writer.drain()
        writer.close()

    def reply(self, header: str) -> str:
        """Answer in the words of the protocol."""
        try:
            answer = self.judge.answer(header)
        except Exception as error:  # whatever it is, mail waits, and no other header does
            tell(3, f"a header could not be judged: {type(error).__name__}")
            return "TEMP the header could not be judged"
        if answer is None:
            return "NOTFOUND "
        return f"OK REPLACE {answer}" if answer else "OK IGNORE"


def tell(level: int, text: str) -> None:
    """Write a line to the journal (sd-daemon(3))."""
    print(f"<{level}>{' '.join(text.split())}", file=sys.stderr, flush=True)


def ready() -> None:
    """Tell systemd that Postfix can ask (sd_notify(3))."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
            notifying.connect(path.replace("@", "\0", 1) if path.startswith("@") else path)
            notifying.send(b"READY=1")


async def run(settings: Path) -> None:
    """Serve at the socket in the unit's directory."""
    said = json.loads(settings.read_text(encoding="utf-8"))
    state = Path(os.environ["STATE_DIRECTORY"])
    secret = Path(os.environ["CREDENTIALS_DIRECTORY"], "fleet").read_bytes() if said["fleet"] else None
    known = Memory(state, said["days"], secret) if said["days"] else None
    judge = Judge(said["hostname"], said["top_level_domains"], said["private_domains"], known)
    runtime = Path(os.environ["RUNTIME_DIRECTORY"])
    path = runtime / "socket"
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(Server(judge).serve, str(path), backlog=1024)
    path.chmod(0o666)  # the directory is for group postfix alone
    (runtime / "pid").write_text(f"{os.getpid()}\n")
    ready()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path, help="JSON file")
    asyncio.run(run(parser.parse_args().settings))
