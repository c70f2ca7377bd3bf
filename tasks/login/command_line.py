"""The arguments of a program in a unit."""

from collections.abc import Mapping


def command_line(arguments: Mapping[str, object]) -> list[str]:
    """Write options as ExecStart= takes them (systemd.service(5), systemd.syntax(7)).

    :param arguments: option to value, or to values; True stands for a mere switch, what is empty for none
    """
    words: list[str] = []
    for option, value in arguments.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{option}" if one is True else f"--{option}={one}" for one in values if one]
    return [_quoted(word) for word in words]


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or set(word) & set("' \t;") else word
