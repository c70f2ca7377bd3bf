"""A file's way to a host in one command, over its standard input; by SFTP it takes four, with sudo six."""

from base64 import encodebytes
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pyinfra import logger
from pyinfra.api import QuoteString, StringCommand
from pyinfra.api.util import get_file_io

from prefetch.script import Answer

LIMIT = 1024 * 1024  # bytes; a larger file's way is long because of its size


def content_of(source: Any) -> bytes | None:
    """Read what is to be uploaded; None where it is too much for one command.

    :param source: path, or file-like object, text or binary
    """
    if isinstance(source, str) and Path(source).stat().st_size > LIMIT:
        return None
    with get_file_io(source) as file:
        content = file.read()
    content = content.encode() if isinstance(content, str) else content
    return content if len(content) <= LIMIT else None


def upload(
    run: Callable[..., Answer], content: bytes, path: str, temporary: str | None, arguments: Mapping[str, Any]
) -> bool:
    """Write a file as whoever runs commands, in place, so that owner and mode of one that is there stay.

    The content is on the host, and whole, before the file is touched: a connection may break at any time.

    :param run: a connector's ``run_shell_command``
    :param temporary: path in the directory for what is on its way; without one mktemp(1) chooses
    :param arguments: pyinfra's connector arguments
    :returns: whether that worked
    """
    directory = ("-p", QuoteString(str(PurePosixPath(temporary).parent))) if temporary else ()
    worked, said = run(
        StringCommand(
            StringCommand("new=$(mktemp", *directory, ")"),
            "&& trap 'rm -f \"$new\"' EXIT",
            '&& base64 -d > "$new"',
            f'&& test $(wc -c < "$new") = {len(content)}',
            StringCommand('&& cat "$new" >', QuoteString(path)),
        ),
        **{**arguments, "_stdin": encodebytes(content).decode()},
    )
    if not worked:
        logger.error(f"Cannot write {path}: {said.stderr or 'the upload was not complete'}")
    return worked
