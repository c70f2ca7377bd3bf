"""Many commands in one: the script that runs them side by side on a host, and what it prints."""

import shlex
import zlib
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from gzip import compress, decompress
from typing import TypeAlias

from pyinfra.api import StringCommand
from pyinfra.connectors.util import CommandOutput, OutputLine

Answer: TypeAlias = tuple[bool, CommandOutput]
"""Whether a command succeeded, and what it printed: what a connector returns."""

# Each command has a shell of its own, the one that would have run it alone, and no standard input. The first
# is what is asked now. What takes ten times as long, and two seconds, waits for something itself: it is
# ended, and asked when its turn comes. The clock is the kernel's (proc_uptime(5)), which costs no process to
# read. The answers lie in a directory that goes with the script, however that ends; where it was killed, with
# the next.
BEGIN = """\
now() { read -r uptime rest </proc/uptime; echo "${uptime%.*}${uptime#*.}"; }
began=$(now) && d=$(mktemp -d -t "pyinfra-look.$$.XXXXXX") || exit
trap 'rm -rf "$d"' EXIT
trap 'exit 1' HUP INT PIPE TERM
for old in "${d%/*}"/pyinfra-look.*; do
pid=${old##*-look.}; test -d "/proc/${pid%.*}" || rm -rf "$old"
done
ask() { "$0" -c "$2" </dev/null >"$d/$1.stdout" 2>"$d/$1.stderr" & asked="$asked $1=$!"; }
"""
END = """\
set -- $asked
wait "${1#*=}"; echo $? >"$d/0.status"; shift
ms=$((($(now) - began) * 100 + 2000))
allowed="$((ms / 1000)).$(printf %03d $((ms % 1000)))"
{ sleep "$allowed"; for one; do kill "${one#*=}"; done; } >/dev/null 2>&1 &
for one; do wait "${one#*=}"; code=$?; test $code = 143 || echo $code >"$d/${one%=*}.status"; done
kill $!
cd "$d" && LC_ALL=C grep -aH '' -- *.* | gzip -1 | base64 -w 0
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
    try:
        text = decompress(b64decode("".join(printed), validate=True))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not packed: {error}") from None
    files: defaultdict[str, list[bytes]] = defaultdict(list)
    for line in text.split(b"\n")[:-1]:
        name, colon, content = line.partition(b":")
        if not colon:
            raise ValueError(f"no file's line: {line!r}")
        files[name.decode()].append(content)
    numbers = [int(name.removesuffix(".status")) for name in files if name.endswith(".status")]
    return {number: answer for number in numbers if (answer := _answer(files, number))}


def _answer(files: Mapping[str, Sequence[bytes]], number: int) -> Answer | None:
    try:
        lines = [
            OutputLine(buffer, line.decode())
            for buffer in ("stdout", "stderr")
            for line in files.get(f"{number}.{buffer}", ())
        ]
    except UnicodeDecodeError:
        return None
    return files[f"{number}.status"] == [b"0"], CommandOutput(lines)
