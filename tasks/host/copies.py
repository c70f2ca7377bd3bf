"""Files that go to the host as they are."""

from pathlib import Path

from pyinfra.operations import files


def put(what: str, source: str | Path, path: str) -> None:
    """Own a file that anybody on the host may read: root's, mode 0644. Its directory is made.

    :param what: it is, for the operation's name
    :param source: path here
    :param path: absolute path on the host
    """
    files.put(name=f"Put {what} in {path}", src=str(source), dest=path, user="root", group="root", mode="644")
