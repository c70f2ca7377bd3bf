"""Generations: what a relay was before a run changes it, and the way back to that.

A run that is going to change a host has that keep what it is first, and go back to it by itself unless the
run confirms at its end that the relay answers (onhost/generation.sh). Going back needs nobody: neither this
machine nor a connection to it.
"""

from collections.abc import Generator, Sequence
from typing import Any, ClassVar, cast

import click
from paramiko import SSHException
from pyinfra import host
from pyinfra.api import Host, QuoteString, State, StringCommand, operation
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS
from pyinfra.api.operation import OperationMeta
from pyinfra.api.state import BaseStateCallback

from prefetch import Aside
from tasks.activation import manifest
from tasks.activation.facts.health import script_of
from tasks.activation.facts.manifest import Unsettled
from tasks.host.step import step
from tasks.host.templates import program
from tasks.part import Daemon, Part
from tasks.postfix.operations import FILES as POSTFIX

SILENCE = 120
"""Seconds after which a host goes back that hears nothing of the run that changes it."""
PROOF = f"{manifest.DIRECTORY}/prove.sh"


@step("Generations")
def begin(either: manifest.Manifest, daemons: Sequence[Daemon] = ()) -> OperationMeta:
    """Have the host keep all that the run may change, note what may be ours, and be ready to go back.

    :param either: what of it may be ours while the run lasts
    :param daemons: that have to read their files anew when those are put back
    """
    reads = [f"{one.unit}.service:{path}" for one in daemons for path in (one.unit_file, *one.reads)]
    return kept(
        name="Keep what the relay is, and be ready to go back to it",
        paths=[*either.files, *POSTFIX, manifest.PATH, PROOF],
        reads=reads,
        noted=manifest.written(either),
    )


@step("Generations")
def confirm(begun: OperationMeta, wanted: Part) -> None:
    """Have the host stay what it has become."""
    settled(name="Confirm what the relay has become", begun=begun, probes=list(wanted.probes))


@operation()
def kept(paths: Sequence[str], reads: Sequence[str], noted: str) -> Generator[StringCommand, None, None]:
    """Keep files, and the units among them, as they are; without a change to come there is nothing to do.

    + paths: absolute paths on the host, whether there or not
    + reads: what units read, each as ``saslauthd.service:/etc/saslauthd.conf``
    + noted: the manifest of what may be ours while the run lasts
    """
    unsettled = host.get_fact(Unsettled, directory=manifest.DIRECTORY)
    if host.state.is_executing and _will_change(host):
        length = str(len(noted.encode()))
        # While somebody looked at a host that was going back, it became another one.
        command = StringCommand if unsettled else Aside
        yield command(_generation("begin", str(SILENCE), length, *paths, *reads), _stdin=noted)
        GoBack.watch(host.state, host)
    else:
        host.noop("the run changes nothing")


@operation()
def settled(begun: OperationMeta, probes: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Let what was kept be the former relay.

    + begun: the operation that kept it
    + probes: commands that print what does not answer, to prove this relay should it be gone back to
    """
    if begun.is_complete() and begun.did_change():
        yield _generation("settle", script_of(probes))
        GoBack.hosts.discard(host.name)
    else:
        host.noop("the run has changed nothing")


@operation()
def dismantled(members: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Have units and groups be as before the first run, and forget all that was kept.

    + members: users and the groups that a run has put them in, as ``user:group``
    """
    yield _generation("dismantle", *members)
    GoBack.hosts.discard(host.name)


@operation()
def former() -> Generator[StringCommand, None, None]:
    """Go back to the former relay, and prove that; another time is the way forth again."""
    yield _generation("rollback", str(SILENCE))


class GoBack(BaseStateCallback):
    """Has a host go back at once where an operation fails; by itself it would when the run has ended."""

    hosts: ClassVar[set[str]] = set()
    """Names of those that a run is changing."""

    @classmethod
    def watch(cls, state: State, changing: Host) -> None:
        """Have a host go back where it fails from now on."""
        cls.hosts.add(changing.name)
        if not any(isinstance(handler, cls) for handler in state.callback_handlers):
            state.add_callback_handler(cls())  # type: ignore[no-untyped-call]

    @staticmethod
    def operation_host_error(
        state: State, host: Host, op_hash: str, retry_count: int = 0, max_retries: int = 0
    ) -> None:
        """Called by pyinfra after an operation has failed on a host."""
        if host.name not in GoBack.hosts:
            return
        GoBack.hosts.discard(host.name)
        given = cast(dict[str, Any], state.ops[host][op_hash].global_arguments)
        arguments = {key: given[key] for key in CONNECTOR_ARGUMENT_KEYS if key in given and key != "_stdin"}
        failed = ", ".join(state.op_meta[op_hash].names).rpartition(" | ")[2]
        try:
            worked, said = host.connector.run_shell_command(
                _generation("back", f"«{failed}» failed"), **arguments
            )
        except (OSError, SSHException):
            words = (
                f"the connection was lost at «{failed}»; the host goes back to the relay that was before by "
                "itself. Does this run shut SSH? What became of the host is in its journal: "
                "journalctl -u quietrelay-back"
            )
            click.echo(f"{host.print_prefix}{words}", err=True)
            return
        for line in said.stdout_lines if worked else [f"going back failed: {said.stderr}"]:
            click.echo(f"{host.print_prefix}{line}", err=True)


def _will_change(changing: Host) -> bool:
    """Tell whether any operation that is still to come has something to do, as a plan would.

    The first that has is enough. What they ask the host is asked ahead (`prefetch`), and answered twice.
    """
    running = changing.executing_op_hash
    operations = [changing.state.ops[changing][op_hash].operation_meta for op_hash in changing.op_hash_order]
    return any(one.will_change for one in operations if not one.is_complete() and one._hash != running)


def _generation(*words: str) -> StringCommand:
    script = QuoteString(program("generation.sh"))
    return StringCommand("bash -c", script, "generation.sh", *map(QuoteString, words))
