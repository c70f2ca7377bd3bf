"""Files that are uploaded in one command: the same file on the host, and never a part of it."""

import subprocess
from collections.abc import Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api import StringCommand
from pyinfra.connectors.util import CommandOutput, OutputLine

from prefetch import script
from prefetch.upload import LIMIT, content_of, upload

EVERY_BYTE = bytes(range(256))


class ThisMachine:
    """Runs commands as a connector does, and may lose what comes after so many bytes of their input."""

    def __init__(self, breaks_after: int | None = None) -> None:
        self.breaks_after = breaks_after
        self.commands: list[str] = []

    def __call__(self, command: StringCommand, **arguments: Any) -> script.Answer:
        self.commands.append(command.get_raw_value())
        stdin = arguments["_stdin"].encode()[: self.breaks_after]
        done = subprocess.run(["sh", "-c", self.commands[-1]], input=stdin, capture_output=True)
        said = [OutputLine("stderr", line) for line in done.stderr.decode().splitlines()]
        return done.returncode == 0, CommandOutput(said)


def put(machine: ThisMachine, content: bytes, path: Path, arguments: Mapping[str, Any] = {}) -> bool:
    return upload(machine, content, str(path), str(path.parent / "temporary"), arguments)


@pytest.mark.parametrize(
    "content", [b"", b"no newline", b"one\n", b"%s \\n $HOME `id` ' \"\n", EVERY_BYTE, EVERY_BYTE * 999]
)
def test_file_is_what_was_given_in_one_command(tmp_path: Path, content: bytes) -> None:
    machine = ThisMachine()
    path = tmp_path / "it's a file"
    assert put(machine, content, path)
    assert path.read_bytes() == content
    assert len(machine.commands) == 1
    assert list(tmp_path.iterdir()) == [path]  # nothing is left beside it


def test_file_that_is_there_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("as it was before, and longer")
    path.chmod(0o640)
    link.hardlink_to(path)
    assert put(ThisMachine(), b"new\n", path)
    assert (link.read_text(), path.stat().st_mode & 0o777) == ("new\n", 0o640)


@pytest.mark.parametrize("arrived", [0, 4, 100, 300])
def test_connection_that_breaks_leaves_the_file_as_it_was(
    tmp_path: Path, arrived: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_text("as it was")
    assert not put(ThisMachine(breaks_after=arrived), EVERY_BYTE, path)
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]
    assert f"Cannot write {path}" in caplog.text


def test_directory_that_is_missing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "missing" / "file"
    assert not upload(ThisMachine(), b"text\n", str(path), None, {})
    assert "missing/file" in caplog.text


def test_content_goes_by_standard_input_alone(tmp_path: Path) -> None:
    machine = ThisMachine()
    put(machine, b"a telling word", tmp_path / "file", {"_stdin": "another's"})
    assert "telling" not in machine.commands[0]
    assert (tmp_path / "file").read_bytes() == b"a telling word"


def test_whatever_names_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("häuser\n".encode())
    read = StringIO("häuser\n")
    read.read()  # as whoever compares it before does
    for source in (str(path), BytesIO("häuser\n".encode()), read):
        assert content_of(source) == "häuser\n".encode()


def test_large_file_is_left_to_the_connector(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(LIMIT + 1)
    assert content_of(str(path)) is None
    assert content_of(BytesIO(b"." * (LIMIT + 1))) is None
    assert content_of(BytesIO(b"." * LIMIT)) is not None
