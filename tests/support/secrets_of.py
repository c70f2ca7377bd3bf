"""What a message must not tell of its sender, in every way of writing it, and how it is found."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address


def spellings(address: str) -> Iterator[str]:
    """Write an address in each way in which programs write addresses."""
    parsed = ip_address(address)
    yield parsed.compressed
    yield parsed.exploded
    yield parsed.packed.hex()
    yield parsed.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    match parsed:
        case IPv4Address():
            yield address.replace(".", "-")
            yield parsed.packed[::-1].hex()  # Outlook Express
            yield str(int(parsed))
            yield IPv6Address(b"\0" * 10 + b"\xff\xff" + parsed.packed).exploded
        case IPv6Address():
            yield ":".join(f"{int(part, 16):x}" for part in parsed.exploded.split(":"))
            yield parsed.compressed.replace(":", "-")


def found(raw: bytes, secrets: Iterable[str]) -> list[str]:
    """List which of these are in a message, on their own, in any case, folded lines or not."""
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", raw).decode(errors="replace")
    return sorted({match[0] for match in _any_of(tuple(secrets)).finditer(unfolded)})


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile("|".join(on_its_own(word) for word in longest_first), re.IGNORECASE)


def on_its_own(word: str) -> str:
    """Match a word, but not where it is a part of a longer one: host 4 is not host 41."""
    before = r"(?<![0-9a-z])" if word[0].isalnum() else ""
    after = r"(?![0-9a-z])" if word[-1].isalnum() else ""
    return before + re.escape(word) + after
