"""Parts made one. Two that want different things of the same path are an error of ours."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tasks.inventory.errors import DeployError
from tasks.part.part import Part
from tasks.postfix import configuration


class MergeError(DeployError):
    """Two parts that want different things of one path, user or package."""


def merge(*parts: Part) -> Part:
    """Make one desired host of its parts, in their order.

    :raises MergeError: when two parts disagree on a file, a directory or an answer
    :raises ConfigurationError: when two parts disagree on main.cf or master.cf
    """
    merged: dict[str, Any] = {}
    for name in (one.name for one in fields(Part)):
        values = [getattr(part, name) for part in parts]
        if name == "postfix":
            merged[name] = configuration.merge(*values)
        elif name == "groups":
            merged[name] = _grouped(values)
        elif isinstance(values[0], Mapping):
            merged[name] = _united(name, values)
        else:
            merged[name] = tuple(dict.fromkeys(item for value in values for item in value))
    return Part(**merged)


def _united(what: str, mappings: list[Mapping[str, object]]) -> dict[str, object]:
    united: dict[str, object] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            if united.setdefault(key, value) != value:
                raise MergeError(f"two parts want {key} differently ({what}): {united[key]!r} and {value!r}")
    return united


def _grouped(mappings: list[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    users = dict.fromkeys(user for mapping in mappings for user in mapping)
    return {
        user: tuple(dict.fromkeys(group for mapping in mappings for group in mapping.get(user, ())))
        for user in users
    }
