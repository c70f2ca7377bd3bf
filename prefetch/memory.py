"""What the last run asked a host, kept from run to run. Only questions are kept, never an answer.

A file a host in ``$XDG_CACHE_HOME/pyinfra-prefetch`` (by default below ``~/.cache``). It may be lost, old or
another deploy's: questions that are not asked any more are forgotten after a run that changed nothing.
"""

import json
import os
import stat
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeAlias

from pyinfra import logger

Asked: TypeAlias = tuple[str, str]
"""A question's privilege and command."""


def recall(host: str) -> list[Asked]:
    """Tell what was asked, in order; nothing where nothing is known."""
    try:
        with _file(host).open(encoding="utf-8") as file:
            # Whoever can write there can have commands run on the host.
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
                logger.warning(f"{file.name} is not yours alone, and not used; delete it")
                return []
            return [(str(privilege), str(command)) for privilege, command in json.load(file)]
    except (OSError, ValueError, TypeError):
        return []


def remember(host: str, asked: Sequence[Asked]) -> None:
    """Keep what was asked, for the next run; where that is not possible, nothing is lost but time."""
    path = _file(host)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
            json.dump(asked, file)
        os.replace(file.name, path)
    except OSError as error:
        logger.debug("Cannot remember what was asked: %s", error)


def _file(host: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pyinfra-prefetch" / sha256(f"{Path.cwd()}\n{host}".encode()).hexdigest()[:32]
