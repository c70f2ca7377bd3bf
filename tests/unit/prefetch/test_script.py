"""The script of a look: each answer is the one that its command gives alone, and nothing stays behind."""

import os
import signal
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import compress
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import StringCommand

from prefetch import script
from tests.unit.prefetch.machine import this_machine


@pytest.mark.parametrize(
    "command",
    [
        "echo; echo; echo",
        "printf 'no newline at the end'",
        "printf 'carriage\\r\\n\\tblank  \\n\\n'",
        "echo ümlaut; echo error >&2",
        "echo out; echo err >&2; exit 3",
        "true",
        "cat; echo end of input",
        "trap 'echo trapped' EXIT; exit 0",
        "kill -9 $$",
        'echo "$0"; set -- a b; echo "$#"; echo \'quo"ted\' # comment',
        "seq 20000",
        "cd /; pwd; umask; echo $HOME",
    ],
)
@pytest.mark.parametrize("arguments", [{}, {"_env": {"A": "b c"}, "_chdir": "/"}], ids=["plain", "env"])
def test_an_answer_is_the_one_that_the_command_gives_alone(command: str, arguments: dict[str, Any]) -> None:
    connector = next(iter(this_machine().inventory)).connector
    arguments = {"_shell_executable": "sh"} | arguments
    worked, printed = connector.run_shell_command(
        script.script(["echo x", command]), False, False, **arguments
    )
    together = script.answers(printed.stdout_lines)
    alone = connector.run_shell_command(StringCommand(command), False, False, **arguments)
    assert worked
    assert together[1][0] == alone[0]
    assert together[1][1].stdout_lines == alone[1].stdout_lines
    of_its_own = [line for line in alone[1].stderr_lines if line != "Killed"]  # the word of a shell around it
    assert together[1][1].stderr_lines == of_its_own


def test_what_waits_is_left_to_be_asked_alone() -> None:
    connector = next(iter(this_machine().inventory)).connector
    begin = time.monotonic()
    _, printed = connector.run_shell_command(script.script(["true", "sleep 30", "echo text"]), False, False)
    assert set(script.answers(printed.stdout_lines)) == {0, 2}
    assert time.monotonic() - begin < 20


def test_output_that_is_no_text_is_left_to_the_connector() -> None:
    connector = next(iter(this_machine().inventory)).connector
    commands = ["printf '\\377\\n'", "echo text"]
    _, printed = connector.run_shell_command(script.script(commands), False, False)
    assert set(script.answers(printed.stdout_lines)) == {1}


WHOLE = b64encode(compress(b"0.status:0\n" * 99)).decode()
TRUNCATED = WHOLE[: len(WHOLE) // 8 * 4]


@pytest.mark.parametrize(
    "printed",
    [["no base64!"], ["aGVsbG8="], [b64encode(compress(b"0.status:0\nfoo\n")).decode()], [TRUNCATED]],
)
def test_what_the_script_does_not_print_is_refused(printed: list[str]) -> None:
    with pytest.raises(ValueError, match=r"not packed|base64|padding|digit|no file's line"):
        script.answers(printed)


@contextmanager
def looking(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Have a look under way that comes to no end, with an answer there."""
    command = script.script(["sleep 60", "echo answer"]).get_raw_value()
    environment = {**os.environ, "TMPDIR": str(directory)}
    # A shell cannot trap what was ignored when it began, as nohup(1) has it.
    words = ["env", "--default-signal=HUP", "sh", "-c", command]
    process = subprocess.Popen(words, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while not list(directory.glob(f"*.{process.pid}.*/1.stdout")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@pytest.mark.parametrize("signalled", [signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE])
def test_a_look_that_is_ended_leaves_nothing(tmp_path: Path, signalled: signal.Signals) -> None:
    with looking(tmp_path) as look:
        look.send_signal(signalled)
        look.wait(20)
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_look_left_goes_with_the_next_and_nobody_elses(tmp_path: Path) -> None:
    with looking(tmp_path) as killed:
        killed.kill()
        killed.wait(20)
    (left,) = tmp_path.iterdir()
    with looking(tmp_path):
        assert not left.exists()
        (lives,) = tmp_path.iterdir()
        command = script.script(["true", "true"]).get_raw_value()
        subprocess.run(["sh", "-c", command], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
        assert list(tmp_path.iterdir()) == [lives]
