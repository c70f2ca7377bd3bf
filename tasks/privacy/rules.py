"""The patterns that say what of a user's header goes, and what takes its place. Pure; no host.

Two tables are made of them, and each alone lets nothing out (header_checks(5), pcre_table(5)):

- the rules, a file: rewrite or drop;
- the guard, a parameter of main.cf that is asked after the file: defers what the file should have handled.

A file that is missing or unreadable defers all mail by itself; Postfix skips a rule that it cannot read, and
an empty file has none: there the guard answers.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tasks.privacy.telltale_headers import TRACE

TraceForm = Literal["anonymous", "classic"]

# Headers that name messages (RFC 5322 3.6.4, 3.6.6; X-Forwarded-Message-Id is Thunderbird's).
MESSAGE_IDS = (
    "Message-ID",
    "Resent-Message-ID",
    "References",
    "In-Reply-To",
    "X-Forwarded-Message-Id",
    "Original-Message-ID",
)

# As many private ids of one header are rewritten. A References header with more of them goes: In-Reply-To
# still ties the thread, and what others answer refers to the rewritten ids anyway.
MOST_IDS = 10

# Domains that are nobody's, so that a name below them tells only how somebody calls a computer at home:
# RFC 6761, RFC 6762 and its appendix G, RFC 8375, ICANN's name collisions, what common routers hand out, and
# what Emacs ends a computer's name with that has none (message.el).
PRIVATE_DOMAINS = (
    *("local", "localdomain", "localhost", "lan", "home", "home.arpa", "internal", "intranet", "private"),
    *("corp", "invalid", "workgroup", "fritz.box", "speedport.ip", "station", "router", "localnet", "domain"),
    "i-did-not-set--mail-host-address--so-tickle-me",
)

IPV4 = r"(?:\d{1,3}\.){3}\d{1,3}"
IPV6 = r"[\da-f.]*:[\da-f:.]*[\da-f:]"
KEPT = r"\d+\.squirrel"  # the end of SquirrelMail's left side
DELIMITER = r"""(?![^\s<>()",;])"""


def named(*names: str) -> str:
    """Match headers by name; * at the end of one stands for any rest. Blanks may come before the colon."""
    patterns = [re.escape(name).replace(r"\-", "-").replace(r"\*", r"[^\s:]*") for name in names]
    return rf"^(?:{'|'.join(patterns)})\s*:"


def private_right_side(private_domains: Sequence[str]) -> str:
    """Match what comes after the @ in an id and tells where it was made.

    An address, as a literal or bare; a name without a dot; one below a domain that is nobody's; one that has
    an address in it, as providers name their customers' lines.
    """
    domains = "|".join(re.escape(domain) for domain in private_domains)
    return "|".join(
        [
            r"\[[^]\s>]*\]?",
            IPV4,
            IPV6,
            r"[^\s<>()@.:]+\.?",
            *([rf"[^\s<>()@]+\.(?:{domains})\.?"] if domains else []),
            r"[^\s<>()@]*(?<!\d)(?:\d{1,3}[.-]){3}\d{1,3}(?!\d)[^\s<>()@]*",
        ]
    )


def private_id(private_domains: Sequence[str]) -> str:
    """Match the part of an id that tells on its user, from within its left side to the end.

    SquirrelMail wrote the browser's address there, Outlook Express the computer's, in hexadecimal digits.
    """
    right_side = private_right_side(private_domains)
    squirrel = rf"(?<=\.)(?:{IPV4}|{IPV6})\.{KEPT}@[^\s<>()@]+"
    return rf"(?:{squirrel}|(?:\$[\da-f]{{8}})?@(?:{right_side})){DELIMITER}"


class Rule(NamedTuple):
    """A line of a table."""

    pattern: str
    action: str


def trace_rule(form: TraceForm, hostname: str, mark: str) -> Rule:
    """Keep of our own trace header what tells nothing, and in the classic form the login.

    The greedy start passes all that a client may have written ahead of our own part: names, TLS, an imitation
    of ours in its HELO. The end of the line, in front of the date, is the recipient, which may hold anything
    too. Postfix makes parentheses of clients into question marks (smtpd.c, common_pre_message_handling).
    """
    escaped = hostname.replace(".", r"\.")
    own = rf"by {escaped} \({mark}\)"
    end = r"\s+id ([0-9A-Za-z]+)\b.*;\s+([^;]+)$"
    if form == "anonymous":
        return Rule(
            rf"^Received:\s(?:.*\s)?{own}(?: with \S+)?{end}",
            f"REPLACE Received: by {hostname} (Postfix) id ${{1}}; ${{2}}",
        )
    return Rule(
        rf"^Received:\s.*\s(\(Authenticated sender: .*\))\s+{own} with (\S+){end}",
        f"REPLACE Received: from [127.0.0.1] (localhost [127.0.0.1]) ${{1}} by {hostname} (Postfix)"
        f" with ${{2}} id ${{3}}; ${{4}}",
    )


def id_rules(hostname: str, private_domains: Sequence[str]) -> list[Rule]:
    """Rewrite every private id of a header, whose name is checked before.

    A table replaces once, so there is a rule for each number of ids; where one is lost, no other takes its
    place, and the guard answers. Atomic groups keep a match from trying again what it has passed. The same id
    becomes the same everywhere.
    """
    found = private_id(private_domains)
    slot = rf"(?>(.*?){found.replace(KEPT, f'({KEPT})')})"
    rules = [Rule(rf"^(?>.*?{found}){{{MOST_IDS + 1}}}", "IGNORE")]
    for count in range(MOST_IDS, 0, -1):
        groups = [f"${{{2 * number + 1}}}${{{2 * number + 2}}}@{hostname}" for number in range(count)]
        rules.append(
            Rule(f"^{slot * count}(?!.*?{found})(.*)$", f"REPLACE {''.join(groups)}${{{2 * count + 1}}}")
        )
    return rules


def private_ids(private_domains: Sequence[str]) -> str:
    """Match a header that names a message by a private id."""
    return rf"{named(*MESSAGE_IDS)}.*?{private_id(private_domains)}"


def envelope() -> str:
    """Write the table that takes the envelope's id off MAIL FROM, for main.cf (smtpd_command_filter).

    Mail programs make it of the message's id (RFC 3461 4.4), and servers hand it on as it is. Notifications
    that were asked for do without: they name the message. The path may be quoted, or without brackets.
    """
    path = r'(?:<(?:"(?:\\.|[^"\\])*"|[^">])*>|(?!<)\S+)'
    rule = Rule(rf"^(MAIL\s+FROM:\s*{path}(?:\s+\S+)*?)\s+ENVID=\S*(.*)$", "${1}${2}")
    return _in_main_cf([rule])


def guard(headers: Sequence[str], private_domains: Sequence[str]) -> str:
    """Write the table that is asked last, for main.cf: who gets here was not rewritten (postconf(5))."""
    why = "REJECT 4.3.0 The rules that keep users anonymous do not work"
    rules = [
        Rule(named(TRACE.name, *headers), f"{why}: a header was not dropped"),
        Rule(private_ids(private_domains), f"{why}: a message id was not rewritten"),
    ]
    return _in_main_cf(rules)


def _in_main_cf(rules: Sequence[Rule]) -> str:
    lines = [f"{{/{rule.pattern}/ {rule.action}}}" for rule in rules]
    return f"pcre:{{{', '.join(lines)}}}".replace("$", "$$")
