"""saslauthd: checks passwords for the backends whose name begins with it, as a unit of ours."""

from collections.abc import Mapping
from functools import partial

from tasks.host.templates import program, render
from tasks.login import libsasl
from tasks.login.command_line import command_line
from tasks.part import Daemon, Directory, File, Part, Rights, merge

UNIT = "/etc/systemd/system/saslauthd.service"
GATE = "/usr/local/lib/quietrelay/gate.py"
SOCKET = "/run/saslauthd/mux"
# Who reaches the socket may try passwords; who reaches the inner one, without the gate.
MADE = (
    Rights("/run/saslauthd", "sasl", "710"),
    Rights("/run/saslauthd/behind", "sasl", "700"),
    Rights(SOCKET, "sasl", "666"),
)
PACKAGES = ("sasl2-bin", "libsasl2-modules", "python3")  # Python for the gate
MECHANISMS = ("PLAIN", "LOGIN")  # it is told passwords, so no other can be

# What it answers is heard on every port.
REACHED = f"""\
runuser -u postfix -- test -S {SOCKET} ||
  echo "user postfix cannot reach {SOCKET}; see journalctl -u saslauthd, the rights there, and group sasl"
"""


def part(
    arguments: Mapping[str, object],
    *,
    unprivileged: bool,
    credential: str = "",
    reads: tuple[str, ...] = (),
    after: str = "",
) -> Part:
    """Have it answer on its socket, behind the gate (`onhost/gate.py`).

    :param arguments: what the gate is told: option to value, or to values; True stands for a mere switch
    :param unprivileged: whether it does without root
    :param credential: secret that it reads, as systemd's LoadCredential= takes it
    :param reads: files that it reads at its start
    :param after: unit that it asks, if there is one
    """
    unit = partial(
        render,
        "login/saslauthd/saslauthd.service",
        gate=GATE,
        arguments=command_line(arguments),
        unprivileged=unprivileged,
        credential=credential,
        after=after,
    )
    own = Part(
        packages=PACKAGES,
        directories={"/usr/local/lib/quietrelay": Directory()},
        files={
            GATE: File(partial(program, "gate.py"), title=f"Put the gate before saslauthd in {GATE}"),
            UNIT: File(unit),
        },
        daemons=(Daemon("saslauthd", UNIT, "/run/saslauthd/saslauthd.pid", (GATE, *reads), MADE),),
        probes=(REACHED,),
    )
    asked = libsasl.part({"pwcheck_method": "saslauthd", "saslauthd_path": SOCKET}, MECHANISMS)
    return merge(own, asked)
