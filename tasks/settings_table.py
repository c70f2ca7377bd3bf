"""All settings in Markdown, made from their types, for docs/reference/settings.md (``python -m docs``)."""

import ast
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Attribute, Days, Domain, Fqdn, HeaderName, HostPath, ImapsUrl, LdapUrl
from tasks.settings import Settings

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
    meaning: str
    type: str
    default: str
    parameter: str


def sections() -> Iterator[tuple[str, list[type[Section]]]]:
    """Name what an inventory may say, and the sections of which it names one, in the order of `Settings`."""
    for key, kind in get_type_hints(Settings).items():
        yield key, list(get_args(kind) or [kind])


def rows(section: type[Section]) -> Iterator[Row]:
    """Describe every setting of a section."""
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        kind = get_type_hints(section, include_extras=True)[name]
        yield Row(
            name=f"`{name}`",
            meaning=meanings.get(name, ""),
            type=_in_words(_without_parameter(kind)) + _limits(field),
            default=_default(field),
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
        case tuple():
            return ", ".join(f"`{json.dumps(item)}`" for item in value)
        case _:
            return f"`{value!r}`"


def told() -> str:
    """Write all sections in Markdown, a heading for each."""
    return "\n".join(_key(key, some) for key, some in sections())


def _key(key: str, some: list[type[Section]]) -> str:
    field = Settings.model_fields[key]
    default = "Required" if field.is_required() else f"By default `{type(field.default).__name__}()`"
    if len(some) == 1:
        return f"## `{key}`: `{some[0].__name__}`\n\n{default}.\n\n{_section(some[0])}"
    links = ", ".join(f"[`{section.__name__}`](#{section.__name__.lower()})" for section in some)
    parts = [f"### `{section.__name__}`\n\n{_section(section)}" for section in some]
    return "\n".join([f"## `{key}`\n\n{default}, one of: {links}.\n", *parts])


def _section(section: type[Section]) -> str:
    head = ("Setting", "Says", "Takes", "Default", "Becomes")
    lines = [_line(row) for row in rows(section)]
    table = "\n".join([_line(head), _line(["---"] * len(head)), *lines]) if lines else "It has no settings."
    return f"{section.__doc__}\n\n{table}\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |"
