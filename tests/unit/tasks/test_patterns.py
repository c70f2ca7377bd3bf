"""Every pattern comes to an end, whatever it is given, and a match that is given up lets nothing out."""

import pytest

from onhost import headers
from tasks.host.templates import ROOT, render
from tasks.privacy.part import configuration, rules
from tasks.senders.tables import by_login_table
from tests.unit.examples import HOSTNAME
from tests.unit.header_tables import MARK, PLAIN, DeferredError, checked, guard_as_file, inline_lines, parsed
from tests.unit.pcre import LIMIT, GivenUpError, compiled
from tests.unit.tasks.privacy.test_privacy_rules import CLASSIC, FOREIGN, OWN, PRIVATE, SIGNS
from tests.unit.worst_texts import counted, texts

# header_size_limit and a line more, as Postfix adds the last one whole (mime_state.c).
LONGEST = 102_400 + 2_048
# As many of each character as PCRE does before it gives up the longest header.
STEPS = LIMIT // LONGEST
SHORT = 4_000  # where what grows with the length's square is beyond that already

IDS = (
    "<1.2@[192.0.2.7]>",
    "<1$2$0501a8c0@pc.local>",
    "<33.192.0.2.7.4.squirrel@a.example>",
    "<1@a-1-2-3-4.b.net>",
)
EXAMPLES = [
    OWN["login"],
    OWN["many recipients"],
    *(f"References: {' '.join((IDS * 3)[:count])}" for count in range(12)),
    *(right_side for names in SIGNS.values() for right_side in names),
    "X-Mailer: it",
    'MAIL FROM:<"a b"@c.test> RET=HDRS ENVID=x SIZE=3',
    "alice+news@a.example",
]


def tables() -> dict[str, str]:
    """Write every table of patterns as a file would have it."""
    made = {
        f"privacy.pcre {form}": render("privacy/privacy.pcre", **rules(relay.privacy, relay.hostname, MARK))
        for form, relay in (("anonymous", PLAIN), ("classic", CLASSIC))
    }
    assert [path.name for path in (ROOT / "templates").glob("**/*.pcre.j2")] == ["privacy.pcre.j2"]
    parameters = dict(configuration(PLAIN.privacy, MARK).parameters)
    parameters["senders"] = by_login_table(["a.example"], "").replace("$recipient_delimiter", "+-")
    return made | {
        name: "\n".join(inline_lines(value))
        for name, value in parameters.items()
        if value and value.startswith("pcre:{")
    }


def judging() -> dict[str, str]:
    """Name the patterns of the program that judges ids; those of left sides see a few characters alone."""
    searched = {pattern: f"headers.py, {sign}" for sign, pattern in headers.OF_A_LINE.items()}
    searched[headers.LINES.pattern] = "headers.py, all signs of a line"
    at_the_start = {
        f"^(?:{getattr(headers, name).pattern})": f"headers.py, {name}"
        for name in ("BEFORE", "RUN", "LITERAL", "ALONE", "NAME", "ENDED")
    }
    return searched | at_the_start


PATTERNS = {
    line.pattern: f"{name}, rule {number}"
    for name, table in tables().items()
    for number, line in enumerate(parsed(table), 1)
    if line.pattern
} | judging()

# What was found by hand to be hard for patterns of this kind; ~ is pumped up.
BY_HAND = {
    "many addresses, and no end": ("References: <x@1", "-1", "@>\n <abc@kitchen-pc>"),
    "many labels, and no end": ("References: <x@", "a.", "local@>"),
    "SquirrelMail's dots": ("References: <", "a.", "1:.1.squirrel@>"),
    "SquirrelMail's colons": ("References: <", ".:", ".1.squirrel>"),
    "SquirrelMail's time": ("References: <.::.", "1", ">"),
    "many literals": ("References: ", "@[", " "),
    "commas": ("References: <a@", ",", "@>"),
    "blanks and comments": ("References: <a@", " ()", "@>"),
    "many marks of JavaMail": ("References: <", ".JavaMail", "@pc>"),
    "many pieces of addresses": ("References: <x@", "1.a-1-1-", "@>"),
    "many digits that may be an address": ("References: <x@", "2a0a0a0a", "@>"),
    "many labels of customers": ("References: <x@", "dyn.", "@>"),
    "many labels of digits": ("References: <x@", "p5b155f43.", "com>"),
    "dots": ("References: <x@a", ".", "b>"),
    "many ids made at home": ("References: ", "<a@pc>", ""),
    "many ids made elsewhere": ("References: ", "<a@b.example>", ""),
    "many parts like our own": (OWN["login"], f" by {HOSTNAME} ({MARK}) with x id 1; ", ";"),
    "blanks for a date": (OWN["login"], "; ", ";"),
    "many logins": ("Received: x", "\n\t(Authenticated sender: ", ")"),
    "a long name": ("X-Originating-User", "a", ""),
    "many parameters": ("MAIL FROM:<a@b.test>", " X=Y", ' "'),
    "quotes": ("MAIL FROM:<", '"', " ENVID=x"),
    "backslashes": ('MAIL FROM:<"', "\\", " ENVID=x"),
    "many subaddresses": ("alice", "+a", '"@a.example'),
}


@pytest.mark.parametrize("pattern", PATTERNS, ids=PATTERNS.values())
class TestEveryPattern:
    def test_takes_steps_in_proportion_to_a_texts_length(self, pattern: str) -> None:
        for text in texts(pattern, EXAMPLES, SHORT, 500):
            assert not is_given_up(counted(pattern), text), shown(text)

    def test_comes_to_an_end_with_the_longest_header(self, pattern: str) -> None:
        for text in texts(pattern, EXAMPLES, LONGEST, 5):
            compiled(pattern).match(text[:LONGEST])

    def test_takes_few_steps_for_what_is_hard(self, pattern: str) -> None:
        for head, pump, end in BY_HAND.values():
            for count in (16, 1601):
                text = f"{head}{pump * count}{end}".encode()
                assert not is_given_up(counted(pattern), text), shown(text)
            longest = f"{head}{pump * ((LONGEST - len(head) - len(end)) // len(pump))}{end}".encode()
            compiled(pattern).match(longest)


def is_given_up(pattern: str, text: bytes) -> bool:
    """Tell whether a pattern takes more steps than it may for each character."""
    try:
        compiled(pattern).match(text, STEPS * len(text))
    except GivenUpError:
        return True
    return False


def shown(text: bytes) -> str:
    """Say for which text too many steps were taken."""
    return f"more than {STEPS} steps for a character of {text[:200]!r}...{text[-80:]!r}"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(a+)+$",
        r"^a.*b.*c.*[de]$",
        r"^(?>.*?(?:@(?:\[[^]\s>]*\]?|[^\s<>()@]*(?:\d-){3}\d[^\s<>()@]*)(?![^\s<>()\",;])))",
        r"^.*?\d++[xy]",  # quick, and still quadratic
        r"^(?:(?!\.[a.]*+@).)*+$",
    ],
)
def test_pattern_that_tries_again_without_a_bound_is_found(pattern: str) -> None:
    examples = ["a1b2c3d", "aaaa", "@1-1-1-1", "<a.a>"]
    hard = [text for text in texts(pattern, examples, SHORT, 1000) if is_given_up(counted(pattern), text)]
    assert hard


TELLING = [
    *(f"References: <a@example.org>\n <b@{right_side}> <c@example.org>" for right_side in PRIVATE),
    "Message-ID: <33091.192.0.2.7.1115415913.squirrel@webmail.example.com>",
    f"References: <x@1{'-1' * 2400}@>\n <abc@kitchen-pc>",
    OWN["login"],
    FOREIGN["without the mark"],
]


@pytest.mark.parametrize("header", TELLING)
def test_header_does_not_leave_as_it_came_wherever_pcre_gives_up(header: str) -> None:
    least = names_at_once(header)
    deferred = 0
    for limit in [*range(least, least + 400, 7), *(least + 2**power for power in range(9, 20))]:
        try:
            assert checked(header, limit=limit) != header, f"with a limit of {limit}"
        except DeferredError:
            deferred += 1
    assert deferred, "no match was given up"
    assert checked(header) != header


def names_at_once(header: str) -> int:
    """Tell after how many steps the guard's last rule stops a header, whatever it holds."""
    *_, last = parsed(guard_as_file(PLAIN))
    for limit in range(1, 1000):
        try:
            if compiled(last.pattern).match(header.encode(), limit):
                return limit
        except GivenUpError:
            continue
    raise AssertionError(f"the guard does not stop {header[:20]!r}")
