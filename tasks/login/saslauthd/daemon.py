"""saslauthd: the daemon that checks passwords for the ways whose name begins with it, as a unit of ours."""

from collections.abc import Mapping, Sequence

from onhost import gate
from tasks.activation.leftovers import Remains
from tasks.host import copies, templates
from tasks.host.operations import daemons
from tasks.login.backend import Asked

UNIT = "/etc/systemd/system/saslauthd.service"
GATE = "/usr/local/lib/quietrelay/gate.py"
PACKAGES: Sequence[str] = ("sasl2-bin", "libsasl2-modules", "python3")  # Python for the gate
MECHANISMS = ("PLAIN", "LOGIN")  # it is told passwords, so no other can be

# A login that is refused is answered too, "NO"; what cannot be judged is not (testsaslauthd(8)).
HEALTH = """\
testsaslauthd -s smtp -u nobody -p nothing 2>&1 | grep -q '"' ||
  echo "saslauthd does not answer on /run/saslauthd/mux, or cannot ask; see journalctl -u saslauthd"
runuser -u postfix -- test -S /run/saslauthd/mux ||
  echo "user postfix cannot reach saslauthd; see the rights of /run/saslauthd, and group sasl"
"""


def run(
    arguments: Mapping[str, object], *, unprivileged: bool, credential: str = "", reads: Sequence[str] = ()
) -> None:
    """Have it answer on its socket, behind the gate (`onhost.gate`).

    :param arguments: what the gate is told: option to value, or to values; True stands for a mere switch
    :param unprivileged: whether it does without root
    :param credential: secret that it reads, as systemd's LoadCredential= takes it
    :param reads: files that it reads at its start
    """
    copies.put("the gate before saslauthd", gate.__file__, GATE)
    templates.put(
        "saslauthd/saslauthd.service",
        UNIT,
        gate=GATE,
        arguments=command_line(arguments),
        unprivileged=unprivileged,
        credential=credential,
    )
    daemons.running(
        name="Run saslauthd",
        unit="saslauthd",
        pid_file="/run/saslauthd/saslauthd.pid",
        reads=[UNIT, GATE, *reads],
        unit_file=UNIT,
    )


ASKED = Asked(
    health=HEALTH,
    smtpd_conf={"pwcheck_method": "saslauthd", "saslauthd_path": "/run/saslauthd/mux"},
    leaves=Remains([GATE], units=[("saslauthd", UNIT)]),  # Debian's own comes to light, switched off
)


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
