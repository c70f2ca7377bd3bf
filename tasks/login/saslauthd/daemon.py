"""saslauthd: checks passwords for the backends whose name begins with it, as a unit of ours."""

from collections.abc import Mapping
from functools import partial

from tasks.host.templates import program, render
from tasks.login import libsasl
from tasks.part import Daemon, Directory, File, Part, merge

UNIT = "/etc/systemd/system/saslauthd.service"
GATE = "/usr/local/lib/quietrelay/gate.py"
SOCKET = "/run/saslauthd/mux"
PACKAGES = ("sasl2-bin", "libsasl2-modules", "python3")  # Python for the gate
MECHANISMS = ("PLAIN", "LOGIN")  # it is told passwords, so no other can be

# A login that is refused is answered too, "NO"; what cannot be judged is not (testsaslauthd(8)).
ANSWERS = f"""\
testsaslauthd -s smtp -u nobody -p nothing 2>&1 | grep -q '"' ||
  echo "saslauthd does not answer on {SOCKET}, or cannot ask; see journalctl -u saslauthd"
runuser -u postfix -- test -S {SOCKET} ||
  echo "user postfix cannot reach saslauthd; see the rights of /run/saslauthd, and group sasl"
"""


def part(
    arguments: Mapping[str, object],
    *,
    unprivileged: bool,
    credential: str = "",
    reads: tuple[str, ...] = (),
) -> Part:
    """Have it answer on its socket, behind the gate (`onhost/gate.py`).

    :param arguments: what the gate is told: option to value, or to values; True stands for a mere switch
    :param unprivileged: whether it does without root
    :param credential: secret that it reads, as systemd's LoadCredential= takes it
    :param reads: files that it reads at its start
    """
    unit = partial(
        render,
        "login/saslauthd/saslauthd.service",
        gate=GATE,
        arguments=command_line(arguments),
        unprivileged=unprivileged,
        credential=credential,
    )
    own = Part(
        packages=PACKAGES,
        directories={"/usr/local/lib/quietrelay": Directory()},
        files={
            GATE: File(partial(program, "gate.py"), title=f"Put the gate before saslauthd in {GATE}"),
            UNIT: File(unit),
        },
        daemons=(Daemon("saslauthd", UNIT, "/run/saslauthd/saslauthd.pid", (GATE, *reads)),),
        probes=(ANSWERS,),
    )
    asked = libsasl.part({"pwcheck_method": "saslauthd", "saslauthd_path": SOCKET}, MECHANISMS)
    return merge(own, asked)


def command_line(arguments: Mapping[str, object]) -> list[str]:
    """Write options as ExecStart= takes them (systemd.service(5), systemd.syntax(7))."""
    words: list[str] = []
    for option, value in arguments.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{option}" if one is True else f"--{option}={one}" for one in values if one]
    return [_quoted(word) for word in words]


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or set(word) & set("' \t;") else word
