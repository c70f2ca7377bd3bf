"""Units that would not run as they are wanted, because of what somebody else has made of them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tasks.activation.facts.units import UnitsSay

DIRECTORY = PurePosixPath("/etc/systemd/system")

# What a service is; a drop-in that lifts a limit or a sandbox's wall may know why (systemd.exec(5)).
ESSENTIAL = {
    *("Type", "ExecStart", "User", "Group", "DynamicUser", "UMask", "LoadCredential", "TemporaryFileSystem"),
    *("RuntimeDirectory", "RuntimeDirectoryMode"),
}

# A line of theirs adds to those before it, and an empty one takes these back; of others the last counts.
LISTS = {"ExecStart", "LoadCredential", "TemporaryFileSystem", "RuntimeDirectory"}
LAST = "zzzz.conf"
"""What a drop-in is called to be read after others (systemd.unit(5))."""


def paths(files: Iterable[str]) -> list[str]:
    """Tell which of some files are units."""
    return [path for path in files if PurePosixPath(path).parent == DIRECTORY]


def complain(found: UnitsSay, own: Mapping[str, str]) -> Iterator[str]:
    """Say which units would not run as they are wanted, and what to do.

    :param own: units that are wholly ours, each with the text of its file
    """
    for unit in found["masked"]:
        yield f"{unit} is masked, so that it cannot run; allow it: systemctl unmask {unit}"
    for unit, text in own.items():
        lines = [(path, line) for name, path, line in found["drop_ins"] if name == unit]
        yield from _differing(unit, text, lines)


def _differing(unit: str, text: str, drop_ins: list[tuple[str, str]]) -> Iterator[str]:
    """Find what drop-ins make of a unit, a setting at a time, read as systemd reads them: by their names."""
    own = _settings(text.splitlines())
    drop_ins.sort(key=lambda drop_in: PurePosixPath(drop_in[0]).name)
    for name in sorted(ESSENTIAL & own.keys()):
        theirs = [(path, line.strip()) for path, line in drop_ins if _name(line) == name]
        all_lines = [*text.splitlines(), *(line for _, line in theirs)]
        if _settings(all_lines)[name] != own[name]:
            path, line = theirs[-1]
            wanted = [*([""] if name in LISTS else []), *own[name]]
            remedy = _remedy(unit, path, [f"{name}={value}" for value in wanted])
            yield f"{path} has {line}, and without its own {name} {unit} is another service; {remedy}"


def _remedy(unit: str, path: str, lines: list[str]) -> str:
    if not path.startswith("/run/"):
        return "remove that line"
    return (
        "as that file is made anew at each boot, have it overruled: put [Service] and "
        f"{' and '.join(lines)}, a line each, into {DIRECTORY}/{unit}.d/{LAST}, and systemctl daemon-reload"
    )


def _settings(lines: Iterable[str]) -> dict[str, list[str]]:
    """Tell what lines amount to."""
    found: dict[str, list[str]] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            before = found.get(name.strip(), []) if name.strip() in LISTS and value.strip() else []
            found[name.strip()] = [*before, value.strip()] if value.strip() else []
    return found


def _name(line: str) -> str:
    return line.partition("=")[0].strip()
