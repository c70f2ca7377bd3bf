"""The deploy with a fault in it: a program for pyinfra, as deploy.py is. FAULT in its environment names it.

It stands for what is wrong with an inventory or a machine, and is found by nobody before the relay fails.
"""

import os
import runpy
import signal
from collections.abc import Callable, Generator
from dataclasses import replace

from pyinfra.api import FunctionCommand, StringCommand, operation

from tasks.activation import activate, generations
from tasks.host.facts.host import HostSays
from tasks.part import File, Part

RULES = "/etc/postfix/privacy.pcre"


def with_parameters(wanted: Part, **parameters: str) -> Part:
    """Have main.cf say something else."""
    postfix = replace(wanted.postfix, parameters={**wanted.postfix.parameters, **parameters})
    return replace(wanted, postfix=postfix)


def with_end(wanted: Part, signalled: signal.Signals) -> Part:
    """Have this process end or stop when files are written, and main.cf is not."""

    @operation()
    def end() -> Generator[StringCommand | FunctionCommand, None, None]:
        yield StringCommand("true")
        yield FunctionCommand(lambda state, host: os.kill(os.getpid(), signalled), (), {})

    return replace(wanted, actions=(*wanted.actions, lambda: end(name="Meet the fault")))


def with_rules(wanted: Part, more: str) -> Part:
    """Have a file that is wholly ours say more."""
    rules = wanted.files[RULES]
    assert isinstance(rules, File)
    return replace(wanted, files={**wanted.files, RULES: File(lambda: f"{rules.content()}{more}\n")})


FAULTS: dict[str, Callable[[Part], Part]] = {
    "none": lambda wanted: with_parameters(wanted, bounce_size_limit="50001"),
    "key": lambda wanted: with_parameters(wanted, smtpd_tls_chain_files="/etc/hostname"),
    "table": lambda wanted: with_parameters(wanted, virtual_alias_maps="hash:/etc/postfix/none"),
    "rules": lambda wanted: with_rules(wanted, "/(/ REPLACE"),
    "silenced": lambda wanted: with_parameters(wanted, smtpd_sasl_tls_security_options="noplaintext"),
    "killed": lambda wanted: with_end(with_rules(wanted, "# more"), signal.SIGKILL),
    "silent": lambda wanted: with_end(with_rules(wanted, "# more"), signal.SIGSTOP),
}

applied = getattr(activate, "applied", activate.activate)  # this module is run once a host


def activate_with_fault(wanted: Part, found: HostSays) -> None:
    """Make the host be what is wanted, but for the fault."""
    applied(FAULTS[os.environ["FAULT"]](wanted), found)


activate.applied = applied  # type: ignore[attr-defined]
activate.activate = activate_with_fault
generations.SILENCE = int(os.environ.get("SILENCE", generations.SILENCE))
runpy.run_path("deploy.py")
