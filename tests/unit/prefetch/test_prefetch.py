"""Facts that are asked ahead: fewer commands, the same answers, and never one that a change has made old."""

import json
import os
import shlex
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyinfra import host
from pyinfra.api import (
    FactBase,
    FileUploadCommand,
    FunctionCommand,
    QuoteString,
    StringCommand,
    operation,
)
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.hiddenvalue import HiddenValue
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.connectors.local import LocalConnector
from pyinfra.connectors.util import CommandOutput

import prefetch
from prefetch import memory, script
from prefetch.connector import MAX_AGE, Prefetching
from tests.unit.prefetch.machine import this_machine

Answer = tuple[bool, CommandOutput]


class Says(FactBase[str]):
    """What a file says; asked only where it exists, like pyinfra's own checksums."""

    def command(self, path: str) -> StringCommand:
        return StringCommand("cat", QuoteString(path))

    def process(self, output: Iterable[str]) -> str:
        return "\n".join(output)


class Exists(FactBase[bool]):
    """Whether there is such a file."""

    default = bool

    def command(self, path: str) -> StringCommand:
        return StringCommand("test -e", QuoteString(path), "&& echo yes || true")

    def process(self, output: Iterable[str]) -> bool:
        return list(output) == ["yes"]


def write_by_shell(path: Path, text: str) -> StringCommand:
    return StringCommand("echo", QuoteString(text), ">", QuoteString(str(path)))


def write_by_upload(path: Path, text: str) -> FileUploadCommand:
    return FileUploadCommand(StringIO(text), str(path))


def write_behind_the_connector(path: Path, text: str) -> FunctionCommand:
    return FunctionCommand(lambda: path.write_text(text) and None, (), {})


CHANGES: dict[str, Callable[[Path, str], Any]] = {
    "command": write_by_shell,
    "upload": write_by_upload,
    "function": write_behind_the_connector,
}

Seen = list[tuple[str | None, str | None]]
"""What an operation was told that a file says, and what it said."""


def truth(path: Path) -> str | None:
    return path.read_text().strip() if path.exists() else None


def look(path: Path, seen: Seen) -> None:
    told = host.get_fact(Says, path=str(path)) if host.get_fact(Exists, path=str(path)) else None
    if not isinstance(host.connector, prefetch.operations.Rehearsal):
        seen.append((told, truth(path)))


@operation()
def watch_it(path: Path, seen: Seen) -> Generator[StringCommand, None, None]:
    look(path, seen)
    yield from ()


@operation()
def change_it(path: Path, kind: str, text: str, seen: Seen) -> Generator[Any, None, None]:
    look(path, seen)
    yield CHANGES[kind](path, text)
    look(path, seen)


class Counted:
    """This machine as pyinfra's host, with its commands counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        self.commands: list[str] = []
        self.arguments: dict[str, Any] = {}
        run = LocalConnector.run_shell_command

        def counting(connector: Any, command: Any, *words: Any, **arguments: Any) -> Answer:
            self.commands.append(str(command))
            self.arguments = dict(arguments)
            return run(connector, command, *words, **arguments)

        monkeypatch.setattr(LocalConnector, "run_shell_command", counting)

    def run(
        self,
        *operations: tuple[Any, ...],
        plan: bool = False,
        pause: Callable[[], Any] = int,
        shown: bool = False,
    ) -> int:
        """Run operations, and tell how many commands that took.

        :param plan: whether to make a plan first, as without -y
        :param pause: called between plan and execution
        :param shown: whether facts' commands are shown, as with -vv
        """
        self.commands.clear()
        state = this_machine(check_for_changes=plan)
        state.print_fact_input = shown
        connect_all(state)
        state.set_stage(StateStage.Prepare)
        prefetch.facts(next(iter(state.inventory)))
        for function, *words in operations:
            add_op(state, function, *words)
        pause()
        state.set_stage(StateStage.Execute)
        run_ops(state)
        state.set_stage(StateStage.Disconnect)
        disconnect_all(state)
        return len(self.commands)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counted:
    return Counted(monkeypatch, tmp_path / "cache")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"file {number}" for number in range(9)]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_a_run_that_changes_nothing_takes_one_command_whatever_the_number_of_operations(
    machine: Counted, files: list[Path]
) -> None:
    seen: Seen = []
    operations = [(watch_it, path, seen) for path in files]
    # First each of two questions depends on the other's answer, and nothing is remembered.
    assert machine.run(*operations) == 2
    assert machine.run(*operations) == 1
    assert len(seen) == 2 * len(files)
    assert all(told == true is not None for told, true in seen)


def test_switched_off_it_takes_a_command_a_question(
    machine: Counted, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFETCH", "off")
    assert machine.run(*[(watch_it, path, []) for path in files]) == 2 * len(files)


@pytest.mark.parametrize("kind", CHANGES)
def test_no_answer_is_older_than_a_change(machine: Counted, files: list[Path], kind: str) -> None:
    changed, *others = files
    for round_ in range(3):  # the second and third know what will be asked
        seen: Seen = []
        machine.run(
            (watch_it, changed, seen),
            (change_it, changed, kind, f"text {round_}", seen),
            (watch_it, changed, seen),
            *((watch_it, path, seen) for path in others),
        )
        assert [told for told, _ in seen] == [true for _, true in seen]
        assert seen[2][0] == f"text {round_}"


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([None, *CHANGES]), st.sampled_from(["a", "b"])),
        max_size=9,
    ),
    plan=st.booleans(),
)
@settings(deadline=None, max_examples=15)
def test_whatever_is_asked_and_changed_in_whatever_order_answers_are_true(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str | None, str]], plan: bool
) -> None:
    place = tmp_path_factory.mktemp("any")
    paths = [place / f"{number}" for number in range(3)]
    seen: Seen = []
    operations = [
        (change_it, paths[number], kind, text, seen) if kind else (watch_it, paths[number], seen)
        for number, kind, text in steps
    ]
    with pytest.MonkeyPatch.context() as patch:
        machine = Counted(patch, place / "cache")
        for _ in range(2):
            machine.run(*operations, plan=plan)
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_a_plan_is_not_executed_on_the_answers_that_it_was_made_from(
    machine: Counted, files: list[Path]
) -> None:
    seen: Seen = []
    operations = [(watch_it, path, seen) for path in files]
    machine.run(*operations)
    seen.clear()
    machine.run(*operations, plan=True, pause=lambda: files[3].write_text("meanwhile"))
    assert ("meanwhile", "meanwhile") in seen
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_an_answer_does_not_live_for_ever(
    machine: Counted, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @operation()
    def wait() -> Generator[StringCommand, None, None]:
        files[1].write_text("meanwhile")  # by somebody else, so to say
        monkeypatch.setattr("time.monotonic", lambda: now() + MAX_AGE + 1)
        yield from ()

    now = time.monotonic
    seen: Seen = []
    machine.run(*[(watch_it, path, seen) for path in files])
    seen.clear()
    machine.run((watch_it, files[0], seen), (wait,), (watch_it, files[1], seen))
    assert seen[-1] == ("meanwhile", "meanwhile")


def test_a_host_that_cannot_do_it_is_asked_one_by_one(
    machine: Counted, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "END", "exit 1\n")
    seen: Seen = []
    assert machine.run(*[(watch_it, path, seen) for path in files]) == 2 * len(files) + 1
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_another_privilege_or_environment_is_another_question(machine: Counted, tmp_path: Path) -> None:
    class Variable(FactBase[list[str]]):
        def command(self) -> str:
            return 'echo "$VARIABLE"'

        def process(self, output: Iterable[str]) -> list[str]:
            return list(output)

    seen: list[list[str]] = []

    @operation()
    def asks() -> Generator[StringCommand, None, None]:
        for value in "ab":
            seen.append(host.get_fact(Variable, _env={"VARIABLE": value}))
        yield from ()

    for _ in range(2):
        machine.run((asks,))
    assert seen == [["a"], ["b"]] * 2


def test_what_a_deploy_runs_by_itself_is_no_fact(machine: Counted, files: list[Path]) -> None:
    counter = files[0].with_name("counter")

    @operation()
    def runs() -> Generator[StringCommand, None, None]:
        command = StringCommand("echo x >>", QuoteString(str(counter)))
        host.run_shell_command(command, **machine.arguments)  # as a fact would be run
        yield from ()

    seen: Seen = []
    for _ in range(2):  # what runs ahead of the change would run again after it
        machine.run((watch_it, files[0], seen), (change_it, files[1], "command", "text", seen), (runs,))
    assert counter.read_text() == "x\nx\n"


def test_what_a_deploy_uploads_by_itself_is_a_change(machine: Counted, files: list[Path]) -> None:
    seen: Seen = []

    @operation()
    def uploads() -> Generator[StringCommand, None, None]:
        look(files[0], seen)
        host.put_file(StringIO("uploaded"), str(files[0]))
        look(files[0], seen)
        yield from ()

    for _ in range(2):
        machine.run((watch_it, files[0], seen), (uploads,))
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_a_callback_that_asks_is_told_the_truth(machine: Counted, files: list[Path]) -> None:
    seen: Seen = []

    def ask_change_and_ask() -> None:
        look(files[1], seen)
        files[1].write_text("called back")
        look(files[1], seen)

    @operation()
    def calls_back() -> Generator[FunctionCommand, None, None]:
        yield FunctionCommand(ask_change_and_ask, (), {})

    for _ in range(2):
        machine.run((watch_it, files[0], seen), (calls_back,), (watch_it, files[1], seen))
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_a_failure_ahead_of_its_turn_fails_nothing(
    machine: Counted, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    later = files[0].with_name("later")

    @operation()
    def needs(path: Path) -> Generator[StringCommand, None, None]:
        assert host.get_fact(Says, path=str(path)) == "made"  # which fails where there is no such file
        yield from ()

    make: tuple[Any, ...] = (change_it, later, "command", "made", [])
    machine.run(make, (needs, later))
    later.unlink()
    # It is asked ahead, and fails there; then an unforeseen question leads to a rehearsal.
    machine.run((watch_it, files[1], []), make, (needs, later))
    assert "could not load fact" not in caplog.text


def test_a_secret_is_neither_asked_ahead_nor_kept(machine: Counted, files: list[Path]) -> None:
    class Secret(FactBase[str]):
        def command(self) -> StringCommand:
            return StringCommand("echo", QuoteString(HiddenValue("hush")))  # type: ignore[no-untyped-call]

    @operation()
    def asks() -> Generator[StringCommand, None, None]:
        assert host.get_fact(Secret) == "hush"
        yield from ()

    machine.run((asks,), *[(watch_it, path, []) for path in files])
    assert "hush" not in "".join(command for _, command in memory.recall("@local"))


@pytest.fixture
def kept(machine: Counted, files: list[Path]) -> Path:
    machine.run(*[(watch_it, path, []) for path in files])
    (path,) = (Path(os.environ["XDG_CACHE_HOME"]) / "pyinfra-prefetch").iterdir()
    return path


def test_memory_is_for_its_owner_alone(kept: Path) -> None:
    assert (kept.parent.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
    assert memory.recall("@local")
    kept.chmod(0o620)
    assert memory.recall("@local") == []


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '[["only one"]]', '{"a": 1}', "null"])
def test_a_memory_that_cannot_be_read_is_none(kept: Path, text: str) -> None:
    kept.write_text(text)
    assert memory.recall("@local") == []


def test_a_wrong_memory_costs_time_alone(machine: Counted, files: list[Path], kept: Path) -> None:
    privileges = {privilege for privilege, _ in json.loads(kept.read_text())}
    wrong = [
        [privilege, f"echo astray; cat {shlex.quote(str(files[0]))}; exit 5"] for privilege in privileges
    ]
    kept.write_text(json.dumps(wrong))
    seen: Seen = []
    machine.run(*[(watch_it, path, seen) for path in files])
    assert all(told == true is not None for told, true in seen)
    assert not any("astray" in command for _, command in memory.recall("@local"))


def test_a_run_that_shows_its_questions_asks_one_by_one_and_forgets_none(
    machine: Counted, files: list[Path], kept: Path
) -> None:
    remembered = kept.read_text()
    seen: Seen = []
    operations = [(watch_it, path, seen) for path in files]
    assert machine.run(*operations, shown=True) == 2 * len(files)
    assert kept.read_text() == remembered
    assert machine.run(*operations) == 1


def test_all_else_goes_to_the_connector_behind(machine: Counted) -> None:
    one = next(iter(this_machine().inventory))
    behind = one.connector
    prefetch.facts(one)
    prefetch.facts(one)  # a deploy of several files
    assert isinstance(one.connector, Prefetching)
    assert one.connector._behind is behind


def test_a_look_goes_no_further_than_the_next_change_that_is_foreseen(
    machine: Counted, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @operation()
    def write_it(path: Path, seen: Seen) -> Generator[StringCommand, None, None]:
        look(path, seen)
        yield write_by_shell(path, "written")

    looks: list[str] = []
    made = script.script

    def looking(commands: Sequence[str]) -> StringCommand:
        looks.append(" ".join(commands))
        return made(commands)

    monkeypatch.setattr(script, "script", looking)
    seen: Seen = []
    operations = [
        *((watch_it, path, seen) for path in files[:2]),
        (write_it, files[2], seen),
        *((watch_it, path, seen) for path in files[3:5]),
        (write_it, files[5], seen),
        *((watch_it, path, seen) for path in files[6:]),
    ]
    machine.run(*operations)
    looks.clear()
    machine.run(*operations)
    asked = [[path for path in files if path.name in look] for look in looks]
    assert asked == [files, files[3:6], files[6:]]
    assert [told for told, _ in seen] == [true for _, true in seen]


def test_what_no_question_sees_leaves_all_answers(machine: Counted, files: list[Path]) -> None:
    @operation()
    def prepare(path: Path) -> Generator[StringCommand, None, None]:
        yield prefetch.Aside("echo aside >", QuoteString(f"{path}.new"))

    seen: Seen = []
    operations = [(prepare, files[0]), *((watch_it, path, seen) for path in files), (prepare, files[1])]
    machine.run(*operations)
    assert machine.run(*operations) == 1 + 2
    assert all(told == true is not None for told, true in seen)
    assert Path(f"{files[1]}.new").read_text() == "aside\n"
