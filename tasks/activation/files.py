"""Files: all that is wholly ours, written aside where it differs, and switched to at once."""

from collections.abc import Generator

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.api.operation import OperationMeta

from tasks.host.operations import owned, secrets
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.host.templates import program
from tasks.part import File, Made, Part

ASIDE = ".new"
"""What follows a file's name while it lies beside its place (onhost/aside.sh)."""


@step("Files")
def write(wanted: Part) -> None:
    """Make directories, write files aside, have others made on the host, and switch."""
    for path in keyed(wanted.directories):
        directory = wanted.directories[path]
        owned.directory(name=f"Make {path}", path=path, group=directory.group, mode=directory.mode)
    written = {}
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, File):
            written[path] = _write(path, file)
    for path in keyed(wanted.files):  # which may need what lies aside
        file = wanted.files[path]
        if isinstance(file, Made) and file.operation:
            file.operation(name=file.title or f"Make {path}", **file.arguments())
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, Made):
            name = f"Keep {path} at mode {file.mode}"
            owned.file(name=name, path=path, group=file.group, mode=file.mode)
    switched(name="Switch to the files that are written, at once", written=written)


def _write(path: str, file: File) -> OperationMeta:
    name = file.title or f"Write {path}"
    content = file.content()
    if isinstance(content, SecretStr):
        return secrets.file(name=name, path=path, content=content, group=file.group, aside=ASIDE)
    return owned.text(name=name, path=path, content=content, group=file.group, mode=file.mode, aside=ASIDE)


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
