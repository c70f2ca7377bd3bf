"""Many commands in one: the script that runs them side by side on a host, and what it prints."""

import io
import shlex
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from gzip import compress
from typing import TypeAlias

from pyinfra.api import StringCommand
from pyinfra.connectors.util import CommandOutput, OutputLine

Answer: TypeAlias = tuple[bool, CommandOutput]
"""Whether a command succeeded, and what it printed: what a connector returns."""

# Each command has a shell of its own, the one that would have run it alone, and no standard input. The first
# is what is asked now. What takes ten times as long, and 0.2 s, waits for something itself: it is ended, and
# asked when its turn comes.
BEGIN = """\
began=$(date +%s%N)
d=$(mktemp -d) || exit
trap 'rm -rf "$d"' EXIT
ask() { "$0" -c "$2" </dev/null >"$d/$1.stdout" 2>"$d/$1.stderr" & asked="$asked $1=$!"; }
"""
END = """\
set -- $asked
wait "${1#*=}"; echo $? >"$d/0.status"; shift
ms=$((($(date +%s%N) - began) / 100000 + 200))
allowed="$((ms / 1000)).$(printf %03d $((ms % 1000)))"
{ sleep "$allowed"; for one; do kill "${one#*=}"; done; } >/dev/null 2>&1 &
for one; do wait "${one#*=}"; code=$?; test $code = 143 || echo $code >"$d/${one%=*}.status"; done
kill $!
tar -C "$d" -cf - . | gzip -1 | base64
"""


def script(commands: Sequence[str]) -> StringCommand:
    """Make the command that runs them all; it is sent packed, as it repeats itself a great deal."""
    asks = "".join(f"ask {number} {shlex.quote(command)}\n" for number, command in enumerate(commands))
    packed = b64encode(compress((BEGIN + asks + END).encode())).decode()
    return StringCommand(f'eval "$(echo {packed} | base64 -d | gzip -d)"')


def answers(printed: Sequence[str]) -> Mapping[int, Answer]:
    """Read what the script printed: a command's place in the sequence to its answer.

    A command without an answer, or with one that is not text, is left out.

    :raises ValueError: where that is not what the script prints
    """
    files: dict[str, bytes] = {}
    try:
        packed = io.BytesIO(b64decode("".join(printed), validate=True))
        with tarfile.open(fileobj=packed, mode="r:gz") as archive:
            for member in archive:
                if content := archive.extractfile(member):
                    files[member.name.removeprefix("./")] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f"no archive: {error}") from None
    found = {}
    for name in files:
        number, _, kind = name.partition(".")
        if kind == "status" and (answer := _answer(files, number)):
            found[int(number)] = answer
    return found


def _answer(files: Mapping[str, bytes], number: str) -> Answer | None:
    try:
        lines = [
            OutputLine(buffer, line)
            for buffer in ("stdout", "stderr")
            for line in _lines(files[f"{number}.{buffer}"].decode())
        ]
        return int(files[f"{number}.status"]) == 0, CommandOutput(lines)
    except (KeyError, ValueError):
        return None


def _lines(text: str) -> list[str]:
    """Part lines as a connector does, which reads them from a file: only a newline ends one."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines
