"""Texts that make a pattern work hard, made of what it tells apart itself, and a count of that work."""

import random
import re
from collections.abc import Iterator, Sequence

from tests.unit.pcre import compiled

CLASS = r"\[\^?\]?(?:\\.|[^]\\])*\]"
KIND = re.compile(rf"{CLASS}|\\[dDsSwW]")
GROUP = re.compile(r"\(\?(?:<?[=!]|[:>])|\\b")
REPEAT = r"(?:[*+?]|\{[\d,]+\})"
ITEM = re.compile(rf"({CLASS}|\\.|.)({REPEAT})?", re.DOTALL)


def counted(pattern: str) -> str:
    """Rewrite a pattern so that PCRE counts every character that it passes, in a possessive repeat too.

    PCRE counts the places that it could come back to (pcre2api(3), match limit), of which a character that
    repeats has none where it is possessive. One with an alternative, though one that never matches, has one.
    """

    def with_alternative(found: re.Match[str]) -> str:
        item, repeat = found[1], found[2] or ""
        repeats = repeat in ("*", "+") and (KIND.fullmatch(item) or item == ".")
        return f"(?:{item}|(?!)){repeat}" if repeats else found[0]

    # And so that it does not give a text up at once in which a letter is missing (pcre2pattern(3)).
    return "(*NO_START_OPT)" + ITEM.sub(with_alternative, pattern)


def letters(pattern: str) -> list[str]:
    """Name one byte for all those that no part of a pattern tells from it; each sign in it is one."""
    kinds = [compiled(kind) for kind in sorted({*KIND.findall(pattern)})]
    signs = set(re.sub(r"[\w\\]", "", KIND.sub("", pattern)))
    classes: dict[tuple[tuple[bool, ...], str], str] = {}
    for byte in [*b"az05", *range(1, 127), 0xE9]:
        text = bytes([byte])
        told = tuple(kind.match(text) is not None for kind in kinds)
        classes.setdefault((told, chr(byte) if chr(byte) in signs else ""), text.decode("latin-1"))
    return list(classes.values())


def words(pattern: str) -> list[str]:
    """List what stands in a pattern literally."""
    text = GROUP.sub("\0", KIND.sub("\0", pattern))
    text = re.sub(r"\\n", "\n", text)
    literal = re.sub(r"(?<!\\)(?:[()|^$.?*+]|\{[\d,]+\})", "\0", text)
    found = re.sub(r"\\(.)", r"\1", literal).split("\0")
    return sorted({word for word in found if word})


def texts(pattern: str, examples: Sequence[str], size: int, count: int) -> Iterator[bytes]:
    """Make texts of about a size: an example with a piece of its own or of the pattern's alphabet pumped up.

    They are the same at each call.

    :param examples: of which those are taken that the pattern matches, or all where it matches none
    """
    chance = random.Random(pattern)  # noqa: S311
    single, several = letters(pattern), words(pattern)
    fitting = [example for example in examples if compiled(pattern).match(example.encode())] or examples
    for _ in range(count):
        example = chance.choice(fitting)
        at = chance.randrange(len(example) + 1)
        few = chance.choice([1, 1, 2, 2, 3, 4, 8])
        made = "".join(chance.choice(chance.choice([single, several or single])) for _ in range(few))
        pump = chance.choice([made, example[at : at + few] or made])
        end = chance.choice([example[at:], chance.choice(single), ""])
        yield f"{example[:at]}{pump * (size // len(pump))}{end}".encode()
