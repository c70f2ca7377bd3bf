"""Files and directories that are root's, by pyinfra's own operations, which here tell what they find."""

from collections.abc import Generator
from io import StringIO

from pyinfra import host
from pyinfra.api import FileUploadCommand, QuoteString, StringCommand, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.facts.files import Directory, File
from pyinfra.operations import files

from tasks.host import differences
from tasks.host.operations import found_files, secrets


@operation()
def directory(path: str, group: str = "root", mode: str = "755") -> Generator[PyinfraCommand, None, None]:
    """Own a directory.

    + path: absolute path on the host
    + group: its group
    + mode: in octal
    """
    found_files.tell(path, host.get_fact(Directory, path=path), group, mode)
    yield from files.directory._inner(path=path, user="root", group=group, mode=mode)


@operation()
def file(path: str, group: str, mode: str) -> Generator[PyinfraCommand, None, None]:
    """Own a file, whatever it holds.

    + path: absolute path on the host
    + group: its group
    + mode: in octal
    """
    found_files.tell(path, host.get_fact(File, path=path), group, mode)
    yield from files.file._inner(path=path, user="root", group=group, mode=mode)


@operation()
def gone(path: str) -> Generator[PyinfraCommand, None, None]:
    """Have no file there.

    + path: absolute path on the host
    """
    if host.get_fact(File, path=path) is not None:
        differences.tell(path, "is left of an earlier run, and not wanted any more")
    yield from files.file._inner(path=path, present=False)


@operation()
def put_back(path: str, kept: str) -> Generator[PyinfraCommand, None, None]:
    """Have a file be again what is kept of it.

    + path: absolute path on the host
    + kept: absolute path of what is kept
    """
    beside = QuoteString(f"{path}.former")
    copied = StringCommand("cp -a", QuoteString(kept), beside)
    yield StringCommand(copied, "&&", StringCommand("mv -T", beside, QuoteString(path)))


@operation()
def no_directory(path: str) -> Generator[PyinfraCommand, None, None]:
    """Have no directory there, unless somebody has something in it, or a package brings it (dpkg-query(1)).

    + path: absolute path on the host
    """
    if not host.get_fact(Directory, path=path):
        host.noop(f"there is no {path}")
        return
    owned = StringCommand("dpkg-query --search", QuoteString(path), ">/dev/null 2>&1")
    yield StringCommand(owned, "|| rmdir --ignore-fail-on-non-empty", QuoteString(path))


@operation()
def text(
    path: str, content: str, group: str = "root", mode: str = "644", aside: str = ""
) -> Generator[PyinfraCommand, None, None]:
    """Own a file with a text, as `files.put` would write it, and show the same difference.

    + path: absolute path on the host; its directory exists
    + content: text, ending in a newline
    + group: group that may read it
    + mode: in octal
    + aside: what follows the path's name where it is to lie until somebody renames it
    """
    found = host.get_fact(File, path=path)
    if found is False:
        yield found_files.in_the_way(path)
        return
    commands = list(
        files.put._inner(
            src=StringIO(content), dest=path, user="root", group=group, mode=mode, create_remote_dir=False
        )
    )
    written = any(isinstance(command, FileUploadCommand) for command in commands)
    found_files.tell(path, found, group, mode, not written)
    if not written:
        yield from commands  # owner or mode, or nothing at all
        return
    yield secrets.written(path, content, group, mode, aside)
