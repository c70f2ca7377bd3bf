"""Files: all that is wholly ours, written aside where it differs, and switched to at once."""

from collections.abc import Generator
from io import StringIO

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import FileUploadCommand, QuoteString, StringCommand, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import OperationMeta
from pyinfra.operations import files

from tasks.host.operations import secrets
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.host.templates import program
from tasks.part import File, Made, Part

ASIDE = ".new"
"""What follows a file's name while it lies beside its place (onhost/aside.sh)."""


@step("Files")
def write(wanted: Part) -> None:
    """Make directories, have files made on the host, write all others aside, and switch to these."""
    for path in keyed(wanted.directories):
        directory = wanted.directories[path]
        files.directory(
            name=f"Make {path}", path=path, user="root", group=directory.group, mode=directory.mode
        )
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, Made) and file.operation:
            file.operation(name=file.title or f"Make {path}", **file.arguments())
    written = {}
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, File):
            written[path] = _write(path, file)
        else:
            name = f"Keep {path} at mode {file.mode}"
            files.file(name=name, path=path, user="root", group=file.group, mode=file.mode)
    switched(name="Switch to the files that are written, at once", written=written)


def _write(path: str, file: File) -> OperationMeta:
    name = file.title or f"Write {path}"
    content = file.content()
    if isinstance(content, SecretStr):
        return secrets.file(name=name, path=path, content=content, group=file.group, aside=ASIDE)
    return text(name=name, path=path, content=content, group=file.group, mode=file.mode)


@operation()
def text(path: str, content: str, group: str, mode: str) -> Generator[PyinfraCommand, None, None]:
    """Write a file aside, as `files.put` would write it, and show the same difference.

    + path: absolute path on the host; its directory exists: a package has made it, or it is one of ours
    + content: text, ending in a newline
    + group: group that may read it
    + mode: in octal
    """
    commands = list(
        files.put._inner(
            src=StringIO(content), dest=path, user="root", group=group, mode=mode, create_remote_dir=False
        )
    )
    if not any(isinstance(command, FileUploadCommand) for command in commands):
        yield from commands  # owner or mode, or nothing at all
        return
    aside = path + ASIDE
    yield FileUploadCommand(StringIO(content), aside, remote_temp_filename=host.get_temp_filename(aside))
    yield StringCommand(
        StringCommand("chown", QuoteString(f"root:{group}"), QuoteString(aside)),
        StringCommand("&& chmod", mode, QuoteString(aside)),
    )


@operation()
def switched(written: dict[str, OperationMeta]) -> Generator[StringCommand, None, None]:
    """Rename what was written aside into place, once Postfix and OpenSSL can read it.

    + written: paths with the operations that wrote beside them
    """
    paths = [path for path, wrote in written.items() if wrote.is_complete() and wrote.did_change()]
    if not paths:
        host.noop("nothing lies aside")
        return
    yield StringCommand(program("aside.sh"), "switch_files", *map(QuoteString, paths))
