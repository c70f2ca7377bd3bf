"""Files: all that is wholly ours, written where it differs."""

from io import StringIO

from pydantic import SecretStr
from pyinfra.operations import files

from tasks.host.operations import secrets
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.part import File, Made, Part


@step("Files")
def write(wanted: Part) -> None:
    """Make directories, have files made on the host, and write all others."""
    for path in keyed(wanted.directories):
        directory = wanted.directories[path]
        files.directory(
            name=f"Make {path}", path=path, user="root", group=directory.group, mode=directory.mode
        )
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, Made) and file.operation:
            file.operation(name=file.title or f"Make {path}", **file.arguments())
    for path in keyed(wanted.files):
        file = wanted.files[path]
        if isinstance(file, File):
            _write(path, file)
        else:
            name = f"Keep {path} at mode {file.mode}"
            files.file(name=name, path=path, user="root", group=file.group, mode=file.mode)


def _write(path: str, file: File) -> None:
    name = file.title or f"Write {path}"
    content = file.content()
    if isinstance(content, SecretStr):
        secrets.file(name=name, path=path, content=content, group=file.group)
        return
    files.put(
        name=name,
        src=StringIO(content),
        dest=path,
        user="root",
        group=file.group,
        mode=file.mode,
        create_remote_dir=False,  # a package has, or it is one of the directories
    )
