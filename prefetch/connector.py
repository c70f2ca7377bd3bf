"""The connector that stands before a host's own, and answers facts that were asked ahead."""

import math
import socket
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pyinfra import logger
from pyinfra.api import StringCommand
from pyinfra.api.state import StateStage
from pyinfra.connectors.base import BaseConnector
from typing_extensions import override

from prefetch import memory, script
from prefetch.aside import Aside
from prefetch.operations import Turn, rehearse
from prefetch.question import Command, Question, by_a_fact, question
from prefetch.script import Answer
from prefetch.upload import content_of, upload

MAX_AGE = 60.0  # seconds
LOST = 120  # seconds without a sign of life from a host, after which its connection is


class Prefetching(BaseConnector):
    """Asks ahead what a host is going to be asked. All that is not a fact goes to the connector behind it."""

    def __init__(self, behind: BaseConnector) -> None:
        """Stand before a connector, which is connected already."""
        self.state, self.host, self.data = behind.state, behind.host, behind.data
        self._behind = behind
        self._answers: dict[Question, Answer] = {}
        self._slow: set[Question] = set()  # not asked ahead again
        self._taken = 0.0
        self._moment: StateStage | None = None
        # How many questions a look comprises. What a change makes worthless has cost the host time, so a look
        # after it goes twice as far as the one before was good for.
        self._reach: float = math.inf
        self._used = 0
        self._turns: list[Turn] | None = None  # what was to come when the host was not changed yet
        self._changing = self._changed = self._busy = False
        self._remembered = memory.recall(self.host.name)
        self._asked: dict[memory.Asked, None] = {}
        _tune(behind)

    @override
    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """Name no hosts: it stands before other connectors only."""
        yield from ()

    def __getattr__(self, name: str) -> Any:
        """Hand on what is not ours."""
        return getattr(self._behind, name)

    @override
    def run_shell_command(
        self, command: Command, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> Answer:
        """Answer a fact, from what is known or by a look at the host; run everything else there."""
        if self._busy:  # what a connector runs to be able to run something, as for sudo's password
            return self._run(command, print_output, print_input, **arguments)
        if isinstance(command, Aside):
            self._changed = True
            return self._run(command, print_output, print_input, **arguments)
        asked = question(command, arguments) if by_a_fact() else None
        if asked and not self._changing:
            self._asked[asked.privilege, asked.command] = None
        if self._changing or print_output or print_input or not asked:
            self._forget()
            return self._run(command, print_output, print_input, **arguments)
        return self.known(asked) or self._look(asked) or self._run(command, **arguments)

    @override
    def connect(self) -> None:
        """Connect again."""
        self._forget()
        self._behind.connect()

    @override
    def disconnect(self) -> None:
        """Remember what was asked, and hang up."""
        asked = list(self._asked)
        if not self._told_all():
            asked = list(dict.fromkeys([*self._remembered, *asked]))
        if asked != self._remembered:
            memory.remember(self.host.name, asked)
        self._forget()
        self._behind.disconnect()

    @override
    def put_file(
        self,
        filename_or_io: Any,
        remote_filename: str,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> bool:
        """Upload a file: a change. It goes in one command, unless it is large, or somebody wants to watch."""
        self._forget()
        content = None if print_output or print_input else content_of(filename_or_io)
        if content is not None:
            return upload(self._run, content, remote_filename, remote_temp_filename, arguments)
        words = (filename_or_io, remote_filename, remote_temp_filename, print_output, print_input)
        return self._behind.put_file(*words, **arguments)

    @override
    def get_file(self, *words: Any, **arguments: Any) -> bool:
        """Download a file, which may leave a copy of it on the host."""
        self._forget()
        return self._behind.get_file(*words, **arguments)

    @override
    def check_can_rsync(self) -> None:
        """Look whether this machine can."""
        self._behind.check_can_rsync()

    @override
    def rsync(self, *words: Any, **arguments: Any) -> bool:
        """Upload files: a change."""
        self._forget()
        return bool(self._behind.rsync(*words, **arguments))

    def changing(self, now: bool) -> None:
        """Learn that an operation does something, or is done with it."""
        if self._turns is None:
            self._turns = rehearse(self.host, self._answers)
        self._forget()
        self._changing, self._changed = now, True

    def known(self, asked: Question) -> Answer | None:
        """Answer from the last look, while it is true."""
        if self._moment != self._now() or time.monotonic() - self._taken > MAX_AGE:
            self._answers.clear()
        answer = self._answers.get(asked)
        self._used += answer is not None
        return answer

    def _now(self) -> StateStage | None:
        """Name what answers are good for: the plan alone, where somebody reads that before it is executed."""
        return self.state.current_stage if self.state.check_for_changes else None

    def _look(self, asked: Question) -> Answer | None:
        """Ask the host this and what is to come; None where nothing is, or where that does not work there."""
        self._reach = max(self._reach, 2 * self._used)
        reach = None if math.isinf(self._reach) else max(1, int(self._reach))
        to_come = (one for one in self._to_come(asked) if one not in self._slow)
        questions = list(islice(dict.fromkeys([asked, *to_come]), reach))
        if len(questions) == 1:
            self._used += 1
            return None
        logger.debug("Asking %s %d questions", self.host.name, len(questions))
        self._taken, self._moment = time.monotonic(), self._now()
        worked, printed = self._run(script.script([one.command for one in questions]), **asked.arguments)
        try:
            found = script.answers(printed.stdout_lines) if worked else {}
        except ValueError as error:
            logger.debug("%s: %s", self.host.name, error)
            found = {}
        if not found:
            self._reach = 0  # each by itself, then; it says what is wrong
        self._answers |= {questions[number]: answer for number, answer in found.items()}
        self._slow |= {one for number, one in enumerate(questions) if number not in found}
        return self.known(asked)

    def _to_come(self, asked: Question) -> Iterator[Question]:
        """Foresee questions without an answer, to be asked in the same manner as this one."""
        foreseen = self._until_a_change(asked) or self._as_remembered(asked)
        yield from (one for one in foreseen if one.manner == asked.manner and one not in self._answers)

    def _until_a_change(self, asked: Question) -> list[Question]:
        """Tell what is asked from here to where the host is changed: no answer lives longer."""
        operations = self.state.ops[self.host]
        questions: list[Question] = []
        for turn in self._turns or ():
            if operations[turn.operation].operation_meta.is_complete():
                continue
            if questions:
                questions += turn.asks
            elif asked in turn.asks:
                questions += turn.asks[turn.asks.index(asked) :]
            if questions and turn.changes:
                break
        return questions

    def _as_remembered(self, asked: Question) -> list[Question]:
        """Tell what the last run asked from here on, for those before have had their turn."""
        place = (asked.privilege, asked.command)
        known = place in self._remembered
        remembered = self._remembered[self._remembered.index(place) if known else 0 :]
        questions = [
            asked.another(command) for privilege, command in remembered if privilege == asked.privilege
        ]
        return questions if known else questions + self._next_of_each()

    def _next_of_each(self) -> list[Question]:
        """Tell what each operation asks next, as far as that is known."""
        turns = rehearse(self.host, self._answers) if self.state.is_executing else []
        return [turn.open for turn in turns if turn.open]

    def _told_all(self) -> bool:
        """Tell whether this run has asked all that one that changes nothing asks."""
        operations = self.state.ops[self.host].values()
        return not self._changed and all(one.operation_meta.is_complete() for one in operations)

    def _forget(self) -> None:
        """Drop all answers: the host may be another one now."""
        if self._used:
            self._reach, self._used = 2 * self._used, 0
        self._answers.clear()

    def _run(
        self, command: Command, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> Answer:
        was, self._busy = self._busy, True
        try:
            told: StringCommand = command  # type: ignore[assignment]  # pyinfra's own facts are strings too
            return self._behind.run_shell_command(told, print_output, print_input, **arguments)
        except EOFError as error:  # paramiko's; pyinfra takes OSErrors alone for a host's failure
            raise ConnectionError("the connection is lost") from error
        finally:
            self._busy = was


def _tune(connector: BaseConnector) -> None:
    """Have small packets sent at once, and a connection that leads nowhere end (tcp(7), socket(7)).

    SSH's dialogue is made of such packets, and waits for each. And else a run would wait for a host that a
    firewall has cut off for a quarter of an hour, or for ever where it has nothing to say itself.
    """
    client = getattr(connector, "client", None)
    transport = client.get_transport() if client else None
    if transport and isinstance(connection := transport.sock, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("KEEPIDLE", LOST // 4), ("KEEPINTVL", LOST // 8), ("USER_TIMEOUT", LOST * 1000)):
            if option := getattr(socket, f"TCP_{name}", None):  # which macOS lacks in part
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
