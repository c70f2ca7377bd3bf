"""Operations, seen from outside: when they change a host, and what they are going to ask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from pyinfra import logger
from pyinfra.api import Host, State, StringCommand
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.state import BaseStateCallback
from pyinfra.context import ctx_host

from prefetch.aside import Aside
from prefetch.question import Command, Question, by_a_fact, question
from prefetch.script import Answer

Commands = Callable[[], Iterator[PyinfraCommand]]


class Watch(BaseStateCallback):
    """Has connectors told of what operations do, also of what does not pass through them."""

    @staticmethod
    def operation_host_start(state: State, host: Host, op_hash: str) -> None:
        """Called by pyinfra before an operation is executed on a host."""
        told = getattr(host.connector, "changing", None)
        if told and (operation := state.ops[host].get(op_hash)):
            given_up = partial(state.failed_hosts.__contains__, host)
            operation.command_generator = _watched(operation.command_generator, told, given_up)


def watch(state: State) -> None:
    """Watch all operations of a run."""
    if not any(isinstance(handler, Watch) for handler in state.callback_handlers):
        state.add_callback_handler(Watch())  # type: ignore[no-untyped-call]


def _watched(commands: Commands, changing: Callable[[bool], None], given_up: Callable[[], bool]) -> Commands:
    """Say before a command is executed, and once it has been; of what no answer is touched by, nothing.

    Where a fact cannot be loaded, pyinfra gives the host up, and goes on with a default that may fit nothing;
    what comes of that ends the whole run. Here it ends the operation, whose callbacks are then called.
    """

    def watched() -> Iterator[PyinfraCommand]:
        try:
            for command in commands():
                if isinstance(command, Aside):
                    yield command
                    continue
                changing(True)
                try:
                    yield command
                finally:
                    changing(False)
        except Exception:
            if not given_up():
                raise
            yield StringCommand("false")

    return watched


class Open(BaseException):  # no Exception, which an operation might take for an answer
    """A rehearsal has come to a question without an answer, or (None) to what cannot be rehearsed."""

    def __init__(self, asked: Question | None = None) -> None:
        """Tell which."""
        super().__init__(asked)
        self.asked = asked


class Rehearsal:
    """The connector of a rehearsal: it has answers, and nothing to ask with."""

    def __init__(self, answers: Mapping[Question, Answer]) -> None:
        """Rehearse on what is known."""
        self._answers = answers
        self.asked: list[Question] = []

    def run_shell_command(
        self, command: Command, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> Answer:
        """Answer what is known.

        :raises Open: for all else, also for a failure: what comes before may make that good
        """
        asked = question(command, arguments) if by_a_fact() else None
        if asked is None:
            raise Open
        self.asked.append(asked)
        answer = self._answers.get(asked)
        if answer and answer[0]:
            return answer
        raise Open(None if answer else asked)

    def __getattr__(self, name: str) -> Any:
        """Do nothing else."""
        raise Open


@dataclass(frozen=True)
class Turn:
    """What an operation does when its turn comes, as far as that is known.

    + operation: pyinfra's hash of it
    + asks: questions, in order
    + open: the last of them, if it has no answer yet: what comes after it is not known
    + changes: it has something to do that questions see
    """

    operation: str
    asks: Sequence[Question]
    open: Question | None
    changes: bool


def rehearse(host: Host, answers: Mapping[Question, Answer]) -> list[Turn]:
    """Tell what the operations that are still to come do, each up to its first open question.

    pyinfra itself runs an operation's generator up to its first command, to make a plan. Nothing that one
    yields is executed here, and it runs on a stand-in for the host: what goes wrong is the rehearsal's alone.

    :param answers: what is known of the host
    """
    stand_in: Any = copy(host)
    stand_in.loop_position = list(host.loop_position)
    stand_in.state = copy(host.state)
    stand_in.state.active_hosts, stand_in.state.failed_hosts = {host}, set()
    stand_in.state.print_noop_info = stand_in.state.print_fact_info = False
    before = ctx_host.get()  # type: ignore[no-untyped-call]
    ctx_host.set(stand_in)  # type: ignore[no-untyped-call]
    try:
        turns = []
        for operation, commands in _to_come(host):
            stand_in.connector = Rehearsal(answers)
            turns.append(_turn(operation, commands, stand_in.connector))
        return turns
    finally:
        ctx_host.set(before)  # type: ignore[no-untyped-call]


def _to_come(host: Host) -> Iterator[tuple[str, Commands]]:
    running = (host.executing_op_hash, host.nested_executing_op_hash)
    for op_hash in host.op_hash_order:
        operation = host.state.ops[host].get(op_hash)
        if operation and op_hash not in running and not operation.operation_meta.is_complete():
            yield op_hash, operation.command_generator


def _turn(operation: str, commands: Commands, connector: Rehearsal) -> Turn:
    still_open, does = None, False
    try:
        does = any(not isinstance(command, Aside) for command in islice(commands(), 1))
    except Open as stop:
        still_open = stop.asked
    except Exception:  # its turn has not come: it may need what is still to be changed
        logger.debug("%s cannot be rehearsed yet", operation)
    return Turn(operation, connector.asked, still_open, does)
