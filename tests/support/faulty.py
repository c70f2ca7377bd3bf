"""The deploy with a fault in it: a program for pyinfra, as deploy.py is. FAULT in its environment names it.

Where it names several, with commas between, each relay has its own.

It stands for what is wrong with an inventory or a machine, and is found by nobody before the relay fails.
With CUT, a number, the run is killed while a host works at that command of its.
"""

import contextlib
import os
import runpy
import shlex
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import FunctionCommand, Host, QuoteString, StringCommand, operation
from pyinfra.connectors.ssh import SSHConnector

from prefetch import connector
from tasks.activation import activate, generations
from tasks.host.facts.host import HostSays
from tasks.login.saslauthd.daemon import GATE
from tasks.part import File, Part

RULES = "/etc/postfix/privacy.pcre"
STALE = "/etc/postfix/stale.pem"
LINK = "/etc/systemd/system/quietrelay-ldap.service"
GONE_BACK = """
for _ in $(seq 300); do test -e /var/lib/quietrelay/pending || exit 0; sleep 0.1; done
exit 1
"""
STEP = "127.0.0.1:10587/inet"
MOMENT = 0.05  # seconds, in which a command is on its way and not done


def with_parameters(wanted: Part, **parameters: str) -> Part:
    """Have main.cf say something else."""
    postfix = replace(wanted.postfix, parameters={**wanted.postfix.parameters, **parameters})
    return replace(wanted, postfix=postfix)


def with_step(wanted: Part, **options: str) -> Part:
    """Have the step that users' mail on port 25 takes within the relay be another one."""
    told = {**wanted.postfix.options[STEP], **options}
    return replace(wanted, postfix=replace(wanted.postfix, options={**wanted.postfix.options, STEP: told}))


def with_end(wanted: Part, signalled: signal.Signals) -> Part:
    """Have this process end or stop when files are written, and main.cf is not."""

    @operation()
    def end() -> Generator[StringCommand | FunctionCommand, None, None]:
        yield StringCommand("true")
        yield FunctionCommand(lambda state, host: os.kill(os.getpid(), signalled), (), {})

    return replace(wanted, actions=(*wanted.actions, lambda: end(name="Meet the fault")))


# Drops what comes by the connection on which it is run: that of the sshd(8) which it descends from.
SHUT = r"""
pid=$$
while ! grep -q ^sshd "/proc/$pid/comm"; do pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status"); done
port=$(ss -Htnp state established | sed -n "s/.*:\([0-9]*\) *users:.*pid=$pid,.*/\1/p")
nft "table inet shut {
  chain input {
    type filter hook input priority -1
    tcp dport 22 tcp sport $port drop
  }
}"
"""


def with_ssh_shut(wanted: Part) -> Part:
    """Have the operator's new rule shut SSH, for this run alone, so that a test can look what comes of it."""

    @operation()
    def shut() -> Generator[StringCommand, None, None]:
        yield StringCommand("sh -c", QuoteString(SHUT))

    more = lambda: shut(name="Let SSH in from elsewhere alone")  # noqa: E731
    return replace(with_rules(wanted, "# more"), actions=(*wanted.actions, more))


def with_file(wanted: Part, path: str, changed: Callable[[str], str]) -> Part:
    """Have a file that is wholly ours say something else."""
    file = wanted.files[path]
    assert isinstance(file, File)
    return replace(wanted, files={**wanted.files, path: File(lambda: changed(str(file.content())))})


def with_another_certificate(wanted: Part) -> Part:
    """Have a port show another certificate than main.cf names."""
    words = (
        "openssl req -x509 -noenc -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=old -keyout - -out -"
    )
    made = subprocess.run(words.split(), capture_output=True, check=True, text=True).stdout
    file = File(lambda: SecretStr(made), mode="600")
    told = {**wanted.postfix.options["submission/inet"], "smtpd_tls_chain_files": STALE}
    postfix = replace(wanted.postfix, options={**wanted.postfix.options, "submission/inet": told})
    return replace(wanted, files={**wanted.files, STALE: file}, postfix=postfix)


def with_rules(wanted: Part, more: str) -> Part:
    """Have the rules of privacy say more."""
    return with_file(wanted, RULES, lambda text: f"{text}{more}\n")


def with_another_run_killed(wanted: Part) -> Part:
    """Have another run killed, and its host go back, between this run's look at that and its first change."""
    will_change = generations._will_change

    def later(changing: Host) -> bool:
        with contextlib.suppress(ProcessLookupError):  # done for the host before
            os.kill(int(os.environ["OTHER"]), signal.SIGKILL)
        connector: Any = changing.connector
        worked, said = connector._behind.run_shell_command(f"sh -c {shlex.quote(GONE_BACK)}", _sudo=True)
        assert worked, said
        return will_change(changing)

    generations._will_change = later
    return wanted


def cut_off(nth: int) -> None:
    """Have this process end at a host's nth remote command."""
    sent: Counter[str] = Counter()
    run = SSHConnector.run_shell_command

    def counted(self: SSHConnector, *words: Any, **more: Any) -> Any:
        sent[self.host.name] += 1
        if sent[self.host.name] == nth:
            threading.Timer(MOMENT, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return run(self, *words, **more)

    SSHConnector.run_shell_command = counted  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[Part], Part]] = {
    "none": lambda wanted: with_parameters(wanted, bounce_size_limit="50001"),
    "many": lambda wanted: with_rules(with_parameters(wanted, bounce_size_limit="50001"), "# more"),
    "key": lambda wanted: with_parameters(wanted, smtpd_tls_chain_files="/etc/hostname"),
    "table": lambda wanted: with_parameters(wanted, virtual_alias_maps="hash:/etc/postfix/none"),
    "rules": lambda wanted: with_rules(wanted, "/(/ REPLACE"),
    "silenced": lambda wanted: with_parameters(wanted, smtpd_sasl_tls_security_options="noplaintext"),
    # Nobody is there whom the link to the directory is told to ask.
    "lonely": lambda wanted: with_file(wanted, LINK, lambda text: text.replace("directory.", "mx.")),
    "stale": with_another_certificate,
    "open": lambda wanted: with_file(wanted, GATE, lambda text: text.replace('return b"NO"', 'return b"OK"')),
    "lax": lambda wanted: with_file(wanted, RULES, lambda text: text.replace("  IGNORE", "  DUNNO")),
    "shy": lambda wanted: with_step(wanted, cleanup_service_name="nobody"),
    "unit": lambda wanted: with_file(wanted, LINK, lambda text: text.replace("ProtectHome=", "ProtectHom=")),
    "killed": lambda wanted: with_end(with_rules(wanted, "# more"), signal.SIGKILL),
    "shut": with_ssh_shut,
    "late": lambda wanted: with_another_run_killed(FAULTS["many"](wanted)),
    "silent": lambda wanted: with_end(with_rules(wanted, "# more"), signal.SIGSTOP),
}

is_first = not hasattr(activate, "applied")  # this module is run once a host
applied = activate.activate if is_first else activate.applied  # type: ignore[attr-defined]
if is_first and (cut := os.environ.get("CUT")):
    cut_off(int(cut))


def activate_with_fault(wanted: Part, found: HostSays) -> None:
    """Make the host be what is wanted, but for the fault."""
    faults = os.environ["FAULT"].split(",")
    names = [relay.name for relay in host.state.inventory]
    applied(FAULTS[faults[names.index(host.name) % len(faults)]](wanted), found)


activate.applied = applied  # type: ignore[attr-defined]
activate.activate = activate_with_fault
connector.LOST = int(os.environ.get("LOST", connector.LOST))
generations.SILENCE = int(os.environ.get("SILENCE", generations.SILENCE))
runpy.run_path("deploy.py")
