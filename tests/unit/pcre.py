"""PCRE2, as Postfix asks it (dict_pcre.c): the library itself, with the flags and limits of a pcre: table."""

from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import cache
from typing import NamedTuple

# pcre2.h
CASELESS, DOTALL = 0x00000008, 0x00000020
NO_MATCH, MATCH_LIMIT = -1, -47
UNSET = c_size_t(-1).value

# What Debian's library is built with, and Postfix leaves as it is (pcre2build(3), pcre2test -C).
LIMIT = 10_000_000


class GivenUpError(Exception):
    """A match that PCRE gave up, which Postfix takes for none."""


class Match(NamedTuple):
    """What a pattern matched."""

    groups: tuple[bytes, ...]
    """The whole, and each group; empty where a group took no part, as in a table's result."""

    def expand(self, template: str) -> str:
        """Fill a table's ${1} and the like in."""
        for number, group in enumerate(self.groups):
            template = template.replace(f"${{{number}}}", group.decode(errors="surrogateescape"))
        return template


def _library() -> CDLL:
    library = CDLL("libpcre2-8.so.0")
    for name, returns, takes in (
        ("compile", c_void_p, [c_char_p, c_size_t, c_uint32, POINTER(c_int), POINTER(c_size_t), c_void_p]),
        ("match_data_create_from_pattern", c_void_p, [c_void_p, c_void_p]),
        ("match_context_create", c_void_p, [c_void_p]),
        ("set_match_limit", c_int, [c_void_p, c_uint32]),
        ("match", c_int, [c_void_p, c_char_p, c_size_t, c_size_t, c_uint32, c_void_p, c_void_p]),
        ("get_ovector_pointer", POINTER(c_size_t), [c_void_p]),
        ("get_ovector_count", c_uint32, [c_void_p]),
    ):
        function = getattr(library, f"pcre2_{name}_8")
        function.restype, function.argtypes = returns, takes
    return library


LIBRARY = _library()


class Compiled:
    """A pattern with a table's default flags: case is ignored, and a dot matches a line feed."""

    def __init__(self, pattern: str) -> None:
        """Compile it.

        :raises ValueError: where it is none; Postfix would skip it with a warning
        """
        text, error, at = pattern.encode(), c_int(), c_size_t()
        self._code = LIBRARY.pcre2_compile_8(
            text, len(text), CASELESS | DOTALL, byref(error), byref(at), None
        )
        if not self._code:
            raise ValueError(f"PCRE2's error {error.value} at {pattern[at.value :][:40]!r} of {pattern!r}")
        self._data = LIBRARY.pcre2_match_data_create_from_pattern_8(self._code, None)
        self._context = LIBRARY.pcre2_match_context_create_8(None)

    def match(self, text: bytes, limit: int = LIMIT) -> Match | None:
        """Match it against a text.

        :raises GivenUpError: after as many steps as the limit says
        """
        LIBRARY.pcre2_set_match_limit_8(self._context, limit)
        found = LIBRARY.pcre2_match_8(self._code, text, len(text), 0, 0, self._data, self._context)
        if found == NO_MATCH:
            return None
        if found == MATCH_LIMIT:
            raise GivenUpError(f"more than {limit} steps")
        assert found > 0, f"PCRE2's error {found}"
        ends = LIBRARY.pcre2_get_ovector_pointer_8(self._data)
        spans = [ends[at : at + 2] for at in range(0, 2 * LIBRARY.pcre2_get_ovector_count_8(self._data), 2)]
        return Match(tuple(b"" if start == UNSET else text[start:end] for start, end in spans))


@cache
def compiled(pattern: str) -> Compiled:
    """Compile a pattern once; a process of tests knows few of them, and frees them at its end."""
    return Compiled(pattern)
