"""What would become of a message, header by header, and why. Pure; no host, no relay."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from onhost.headers import Judge
from tasks.privacy import ids
from tasks.privacy.headers import GOING, MIME_VERSION, NAMING, TRACE, VOUCHED, Headers, names
from tasks.privacy.rules import DATES
from tasks.privacy.section import Privacy

HEADER = re.compile(r"[!-9;-~]+[ \t]*:")  # RFC 5322 3.6.8; Postfix takes what is none for the body
PLAIN_VERSION = re.compile(r"\s*1\.0\s*", re.ASCII)


class Fate(NamedTuple):
    """What becomes of a header; texts have a character for each byte (Latin-1)."""

    before: str
    """As it came, with its folds; empty for one that the relay writes."""
    after: str
    """As it leaves; empty for one that goes."""
    why: str


class Strangers:
    """Knows no id, as a relay that never saw the thread."""

    def add(self, message_id: str) -> None:
        """Forget it."""

    def __contains__(self, message_id: str) -> bool:
        """Know none."""
        return False


def fates(message: bytes, privacy: Privacy, hostname: str) -> tuple[list[Fate], int]:
    """Say what would become of each header of a message.

    :param message: as a mail program would hand it in, or has saved it
    :param hostname: the relay's fully qualified name
    :returns: the headers in their order, and the length of the body in bytes
    """
    headers, body = parted(message.replace(b"\r\n", b"\n").decode("latin-1"))
    known = Strangers() if privacy.ids_known_days else None
    judge = ids.judge(privacy.name_in_ids(hostname), privacy.private_domains, known)
    own = Fate("", f"Received: by {hostname} (Postfix) id ...; ...", "the relay's own trace header")
    if privacy.trace == "classic":
        after = f"Received: from [127.0.0.1] ... (Authenticated sender: ...) by {hostname} (Postfix) ...; ..."
        own = own._replace(after=after)
    return [own, *(_fate(header, privacy, judge) for header in headers)], len(body)


def parted(text: str) -> tuple[list[str], str]:
    """Part a message into its headers, each with its folds, and its body."""
    lines = text.split("\n")
    if re.match(r">*From ", lines[0]):  # as mailboxes have it; Postfix's smtpd makes a header of it
        lines[0] = f"X-Mailbox-Line: {lines[0]}"
    headers: list[str] = []
    for number, line in enumerate(lines):
        if headers and line[:1] in (" ", "\t"):
            headers[-1] += f"\n{line}"
        elif HEADER.match(line):
            headers.append(line)
        else:
            return headers, "\n".join(lines[number + (not line) :])
    return headers, ""


def _fate(header: str, privacy: Privacy, judge: Judge) -> Fate:
    name, _, value = header.partition(":")
    name = name.rstrip()
    goes = _goes(name, privacy)
    if goes:
        return Fate(header, "", goes)
    if _is(name, [MIME_VERSION.names]):
        after = header if PLAIN_VERSION.fullmatch(value) else "MIME-Version: 1.0"
        return Fate(header, after, "how the message is built" if after == header else MIME_VERSION.why)
    if _is(name, names(NAMING)):
        answer = judge.answer(header)
        if answer == "":
            return Fate(header, "", "ids in it tell where they were made, and it is too long to rewrite them")
        changed = answer is not None and answer != header
        return Fate(header, header if answer is None else answer, _ids(name, changed, answer is not None))
    if privacy.date == "utc" and _is(name, DATES):
        return Fate(header, judge.answer(header) or "", "the same moment, without the time zone")
    return Fate(header, header, _stays(name, privacy))


def _ids(name: str, changed: bool, telling: bool) -> str:
    if changed:
        return "an id in it tells where it was made: the relay's name takes the place of that"
    if telling:
        return "an id in it was made at somebody's home: a stranger's, for the relay did not rewrite it"
    return _why(name, NAMING)


def _goes(name: str, privacy: Privacy) -> str:
    if _is(name, [TRACE.names]):
        return TRACE.why
    if _is(name, privacy.dropped_headers):
        return "the inventory drops it"
    if _is(name, [*privacy.vouched_headers, *names(VOUCHED, NAMING, [MIME_VERSION])]):
        return ""
    known = _why(name, GOING)
    if known or privacy.unknown_headers == "kept":
        return known
    return "nobody has vouched for it"


def _stays(name: str, privacy: Privacy) -> str:
    if why := _why(name, VOUCHED):
        return why
    return "the inventory vouches for it" if _is(name, privacy.vouched_headers) else "it is not known to tell"


def _why(name: str, table: Sequence[Headers]) -> str:
    return next((row.why for row in table if _is(name, row.names.split())), "")


def _is(name: str, patterns: Iterable[str]) -> bool:
    lower = name.lower()
    return any(
        lower.startswith(one[:-1].lower()) if one.endswith("*") else lower == one.lower() for one in patterns
    )


def lines(found: Fate) -> Iterator[tuple[str, str]]:
    """Write it as lines with a sign each: a blank for what stays, - for what goes, + for what comes."""
    if found.before == found.after:
        yield from ((" ", line) for line in found.after.split("\n"))
        return
    for sign, text in (("-", found.before), ("+", found.after)):
        yield from ((sign, line) for line in text.split("\n") if text)
