"""The patterns that say what of a user's header goes, and what takes its place. Pure; no host.

Two tables are made of them, and each alone lets nothing out (header_checks(5), pcre_table(5)):

- the rules, a file: rewrite or drop; what is vouched for matches none of them;
- the guard, a parameter of main.cf that is asked last: lets out what is vouched for and tells nothing, and
  defers all else, which should have been handled before.

Between them stands a program that judges ids and dates (onhost/headers.py); where it is away, mail waits.

A file that is missing or unreadable defers all mail by itself; Postfix skips a rule that it cannot read, and
an empty file has none: there the guard answers.

Postfix takes a match that PCRE gives up (pcre2api(3), match limit) for none, with ! before the pattern too
(dict_pcre.c). Hence no pattern tries again without a bound what it has passed: what repeats is possessive, in
an atomic group, or ends before the next @, so that the steps grow with a header's length and not faster. And
the guard defers unless a match tells that a header is clean: a match that is given up tells nothing.
A table sees what leaves and no less: a header with its folds, cut off above header_size_limit (mime_state.c),
or at a null character.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple

from onhost import headers as judging
from tasks.privacy import headers, ids

TraceForm = Literal["anonymous", "classic"]

# Headers that name messages.
MESSAGE_IDS = headers.names(headers.NAMING)

# Headers with a date in the writer's own zone.
DATES = ("Date", "Resent-Date")


def named(*names: str) -> str:
    """Match headers by name; * at the end of one stands for any rest. Blanks may come before the colon."""
    return f"^{_name(names)}"


def _name(names: Sequence[str]) -> str:
    patterns = [re.escape(name).replace(r"\-", "-").replace(r"\*", r"[^\s:]*+") for name in names]
    return rf"(?:{'|'.join(patterns)})\s*+:"


class Rule(NamedTuple):
    """A line of a table."""

    pattern: str
    action: str


def telling_id(private_domains: Sequence[str]) -> str:
    """Match the part of an id that tells on its user: the end of a left side, or a right side from its @ on.

    By the signs that the program knows which judges ids, but for one: the list of top-level domains is long.
    """
    domains = "|".join(_by_first_letter(private_domains))
    within = [*judging.OF_A_LINE.values(), rf"(?<=[.@])(?=\w)(?:{domains}){judging.END}"]
    strange_port = rf"{judging.NAME.pattern}:(?!\d*+(?!{judging.NARROW}))"
    right_sides = [r"\[", r"\(none\)", judging.ALONE.pattern, strange_port]
    right_sides.append(rf"{judging.WIDE}*?(?:{'|'.join(within)})")
    return (
        rf"(?:{'|'.join(judging.OF_A_LEFT_SIDE)}|@(?:{judging.BEFORE.pattern})?+(?:{'|'.join(right_sides)}))"
    )


def _by_first_letter(domains: Sequence[str]) -> Iterator[str]:
    """Match one of many in few steps: PCRE tries one alternative after the other."""
    for first, several in groupby(sorted(domains), key=itemgetter(0)):
        yield f"{re.escape(first)}(?:{'|'.join(re.escape(domain[1:]) for domain in several)})"


_VERSION = _name([headers.MIME_VERSION.names])
_PLAIN_VERSION = rf"{_VERSION}\s*+1\.0\s*+$"


class Fates(NamedTuple):
    """Which headers leave and which go, by name; what an inventory says comes before our own tables."""

    vouched: tuple[str, ...] = ()
    """Those that the inventory vouches for."""
    dropped: tuple[str, ...] = ()
    """Those that it drops."""
    unknown_leave: bool = False
    """Whether a header that stands in no table leaves."""
    utc: bool = False
    """Whether dates are rewritten."""

    @property
    def judged(self) -> tuple[str, ...]:
        """Those that a program judges (onhost/headers.py)."""
        return (*MESSAGE_IDS, *(DATES if self.utc else ()))

    @property
    def own_rules(self) -> tuple[str, ...]:
        """Those that are neither dropped nor vouched for by their name alone."""
        return (*self.judged, headers.MIME_VERSION.names, headers.TRACE.names)

    @property
    def leaving(self) -> tuple[str, ...]:
        """All that are vouched for; what is dropped goes all the same."""
        known = (name for name in headers.names(headers.VOUCHED) if name not in self.judged)
        return (*self.vouched, *known)


def going(fates: Fates) -> list[str]:
    """Match the headers that go, but for trace headers: what the inventory drops, and what is not to leave.

    Each is known by its name, and no step in a name is tried twice: PCRE cannot give up, which would be no
    match.
    """
    return [*_dropped(fates), _known_to_tell(fates) if fates.unknown_leave else _vouched_by_nobody(fates)]


def _dropped(fates: Fates) -> list[str]:
    return [named(*fates.dropped)] if fates.dropped else []


def _vouched_by_nobody(fates: Fates) -> str:
    return f"^(?!{_name([*fates.leaving, *fates.own_rules])})"


def _known_to_tell(fates: Fates) -> str:
    return f"^(?!{_name([*fates.leaving, *fates.own_rules])}){_name(headers.names(headers.GOING))}"


def version_rule() -> Rule:
    """Take the comment behind the version of MIME: it names programs and systems (RFC 2045 4)."""
    return Rule(f"^(?!{_PLAIN_VERSION}){_VERSION}", "REPLACE MIME-Version: 1.0")


def trace_rule(form: TraceForm, hostname: str, mark: str) -> Rule:
    """Keep of our own trace header what tells nothing, and in the classic form the login.

    The greedy start passes all that a client may have written ahead of our own part: names, TLS, an imitation
    of ours in its HELO. The end of the line, in front of the date, is the recipient, which may hold anything
    too. Postfix makes parentheses of clients into question marks, and writes the login into a line of its own
    (smtpd.c, common_pre_message_handling).
    """
    escaped = hostname.replace(".", r"\.")
    own = rf"by {escaped} \({mark}\)"
    end = r"\s++id ([0-9A-Za-z]++)\b(?>.*;)\s++([^;]++)$"
    if form == "anonymous":
        return Rule(
            rf"^Received:\s(?>(?:.*\s)?{own})(?: with \S++)?{end}",
            f"REPLACE Received: by {hostname} (Postfix) id ${{1}}; ${{2}}",
        )
    return Rule(
        rf"^Received:\s(?>.*\n\s(\(Authenticated sender: [^\n]*+)(?<=\))\s++{own}) with (\S++){end}",
        f"REPLACE Received: from [127.0.0.1] (localhost [127.0.0.1]) ${{1}} by {hostname} (Postfix)"
        f" with ${{2}} id ${{3}}; ${{4}}",
    )


def judged(fates: Fates, server: str) -> str:
    """Write the table of the headers that a program judges, for main.cf (pipemap in DATABASE_README).

    :param server: where it answers, as socketmap_table(5) has it
    """
    asked = _in_main_cf([Rule(f"^({_name(fates.judged)}.*+)$", "$1")])
    return f"pipemap:{{{asked}, {server}}}"


def envelope() -> str:
    """Write the table that takes the envelope's id off MAIL FROM, for main.cf (smtpd_command_filter).

    Mail programs make it of the message's id (RFC 3461 4.4), and servers hand it on as it is. Notifications
    that were asked for do without: they name the message. The path may be quoted, or without brackets.
    """
    quoted = r'"(?:\\.|[^"\\])*+"'
    word = rf'(?:<(?:\\.|{quoted}|[^">\\])*+>|{quoted}|\\.|[^\s<"\\])++'
    others = rf"(?:\s++(?!ENVID=){word})*+"
    # What comes after a second one is not said on: Postfix takes no two, and would take the one that is left.
    rule = Rule(rf"^(MAIL\s++FROM:\s*+{word}{others})\s++ENVID=(?:{word})?+({others})", "${1}${2}")
    return _in_main_cf([rule])


def receipts() -> str:
    """Write the table for lines of the body, for main.cf: which program wrote a read receipt, and where.

    That line is the program's, and no user's text (RFC 8098 3.2.1).
    """
    return _in_main_cf([Rule(r"^Reporting-UA:", "REPLACE Reporting-UA: mail program")])


def guard(fates: Fates, private_domains: Sequence[str]) -> str:
    """Write the table that is asked last, for main.cf: who gets here was not rewritten (postconf(5)).

    Only a match lets a header out. What the file of the rules drops is stopped before.

    :param private_domains: those that the inventory names in addition
    """
    private_domains = (*ids.PRIVATE_DOMAINS, *private_domains)
    why = "REJECT 4.3.0 The rules that keep users anonymous do not work"
    rules = [Rule(pattern, f"{why}: a header was not dropped") for pattern in _dropped(fates)]
    rules += [
        Rule(f"^{_PLAIN_VERSION}", "DUNNO"),
        Rule(rf"{named(*MESSAGE_IDS)}(?!.*?{telling_id(private_domains)})", "DUNNO"),
    ]
    if fates.unknown_leave:
        rules.append(Rule(named(*fates.own_rules), f"{why}: a header was not rewritten"))
        rules.append(Rule(_known_to_tell(fates), f"{why}: a header was not dropped"))
    else:
        rules.append(Rule(named(*fates.leaving), "DUNNO"))
        rules.append(Rule("^", f"{why}: a header was neither dropped nor rewritten"))
    return _in_main_cf(rules)


def _in_main_cf(rules: Sequence[Rule]) -> str:
    lines = [f"{{/{rule.pattern}/ {rule.action}}}" for rule in rules]
    return f"pcre:{{{', '.join(lines)}}}".replace("$", "$$")
