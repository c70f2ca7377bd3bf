"""What a fact asks a host: a command, and how it is to be run."""

import sys
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pyinfra.api import StringCommand

Command: TypeAlias = str | StringCommand

# With these a command is run by itself, unless they say what is usual.
ALONE = {"_timeout": None, "_stdin": None, "_get_pty": False, "_success_exit_codes": [0]}


@dataclass(frozen=True)
class Question:
    """A command whose answer depends on nothing but the host's state.

    + command: as the shell is given it
    + manner: all that decides how it is run: by whom, where, in which shell and environment
    """

    command: str
    manner: str
    arguments: dict[str, Any] = field(compare=False, repr=False)

    @property
    def privilege(self) -> str:
        """Name the manner without what may be secret in it."""
        open_ones = {name: value for name, value in self.arguments.items() if value and not _secret(name)}
        return repr(sorted(open_ones.items()))

    def another(self, command: str) -> "Question":
        """Make the question that asks something else in the same manner."""
        return Question(command, self.manner, self.arguments)


def question(command: Command, arguments: dict[str, Any]) -> Question | None:
    """Make a question of a fact's command; None of one that has to be run by itself.

    :param arguments: pyinfra's connector arguments, ``_sudo`` and the like
    """
    text = command.get_raw_value() if isinstance(command, StringCommand) else command
    hidden = text != str(command)  # a secret, which the debugging output would show, and the memory keep
    alone = any(arguments.get(name, usual) not in (usual, None) for name, usual in ALONE.items())
    if hidden or alone or not arguments.get("_shell_executable", "sh"):
        return None
    return Question(text, repr(sorted(arguments.items())), arguments)


def by_a_fact() -> bool:
    """Tell whether a connector runs a command for a fact, which only reads, or for anything else.

    Nothing but the caller of `pyinfra.api.Host.run_shell_command` tells them apart. Where that is not the
    fact API, a command is taken for a change: at worst nothing is asked ahead.
    """
    # This function, the connector, Host.run_shell_command, and who called that.
    return sys._getframe(3).f_globals.get("__name__") == "pyinfra.api.facts"


def _secret(name: str) -> bool:
    return name == "_env" or name.endswith("_password")
