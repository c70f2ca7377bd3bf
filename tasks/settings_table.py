"""The README's tables: all settings, made from their types, and the headers that are dropped.

``python -m tasks.settings_table`` writes each between its two markers in README.md.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Attribute, Days, Domain, Fqdn, HeaderName, HostPath, ImapsUrl, LdapUrl
from tasks.privacy import telltale_headers
from tasks.settings import Settings

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"
HEADERS_BEGIN, HEADERS_END = "<!-- headers: begin -->", "<!-- headers: end -->"
MOST_SHOWN = 20  # entries of a default that a cell still holds

PLAIN_WORDS = {
    bool: "`True` or `False`",
    int: "whole number",
    str: "text",
    Fqdn: "host name",
    LdapUrl: "LDAP URL",
    ImapsUrl: "IMAPS URL",
    HostPath: "path on the host",
    HeaderName: "header",
    Domain: "domain",
    Attribute: "LDAP attribute",
    Days: "days, 1 to 365",
}


class Row(NamedTuple):
    """One setting, in the words of the table."""

    name: str
    type: str
    default: str
    meaning: str
    parameter: str


class SettingsTableError(Exception):
    """A README without a place for the table, said in one line."""


def rows() -> Iterator[Row]:
    """Describe every setting of every section, in the order of `Settings`."""
    for key, kind in get_type_hints(Settings).items():
        for section in get_args(kind) or [kind]:
            yield from _section_rows(key, section)


def _section_rows(key: str, section: type[Section]) -> Iterator[Row]:
    if not section.model_fields:
        yield Row(f"`{key}`: `{section.__name__}()`", "no settings", "none", section.__doc__ or "", "nothing")
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        kind = get_type_hints(section, include_extras=True)[name]
        yield Row(
            name=f"`{key}`: `{section.__name__}.{name}`",
            type=_in_words(_without_parameter(kind)) + _limits(field),
            default=_default(field),
            meaning=meanings.get(name, ""),
            parameter=", ".join(
                f"`{item.parameter}`" for item in field.metadata if isinstance(item, Becomes)
            ),
        )


def _meanings(section: type) -> Mapping[str, str]:
    """Read the texts below a section's settings, which Python forgets. pydantic would too, in every run."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        setting.target.id: str(text.value.value)
        for setting, text in pairwise(definition.body)
        if isinstance(setting, ast.AnnAssign) and isinstance(setting.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _without_parameter(kind: Any) -> Any:
    """Reduce what `Annotated` flattened to the type that it was made of."""
    if get_origin(kind) is not Annotated:
        return kind
    bare, *metadata = get_args(kind)
    kept = tuple(item for item in metadata if not isinstance(item, Becomes | FieldInfo))
    return Annotated[(bare, *kept)] if kept else bare


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return PLAIN_WORDS.get(kind) or _in_words(get_args(kind)[0])
    if get_origin(kind) is None:
        return PLAIN_WORDS[kind]
    arguments = [argument for argument in get_args(kind) if argument not in (NoneType, ...)]
    if get_origin(kind) is Literal:
        return _choice([f"`{json.dumps(value)}`" for value in arguments])
    if get_origin(kind) is tuple:
        return f"list, each: {_in_words(arguments[0])}"
    if get_origin(kind) is dict:
        return f"`{{…: …}}`, from {' to '.join(map(_in_words, arguments))}"
    return _choice([_in_words(argument) for argument in arguments])


def _choice(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _limits(field: FieldInfo) -> str:
    least, most = (
        next((str(getattr(item, bound)) for item in field.metadata if hasattr(item, bound)), "")
        for bound in ("ge", "le")
    )
    return f", {least} to {most}" if least or most else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    match value:
        case None | ():
            return "not set"
        case str():
            return f"`{json.dumps(value)}`"
        case ():
            return "not set"
        case tuple() if len(value) > MOST_SHOWN:
            return f"{len(value)} headers, [listed below](#headers-that-go)"
        case tuple():
            return ", ".join(f"`{json.dumps(item)}`" for item in value)
        case _:
            return f"`{value!r}`"


def table() -> str:
    """Write the table in Markdown."""
    head = ("Setting", "Type", "Default", "Meaning", "Becomes")
    return "\n".join(map(_line, [head, ["---"] * len(head), *rows()])) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |"


def updated(readme: str) -> str:
    """Put the tables into a README.

    :raises SettingsTableError: where markers are missing
    """
    readme = _between(BEGIN, END, table(), readme)
    return _between(HEADERS_BEGIN, HEADERS_END, telltale_headers.table(), readme)


def _between(begin: str, end: str, content: str, readme: str) -> str:
    before, found_begin, rest = readme.partition(f"{begin}\n")
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise SettingsTableError(f"README.md has no place for a table: add {begin} and {end}, a line each")
    return before + begin + "\n" + content + end + after


if __name__ == "__main__":
    try:
        README.write_text(updated(README.read_text()))
    except SettingsTableError as error:
        sys.exit(str(error))
