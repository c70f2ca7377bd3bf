"""What operations tell of files that they find otherwise than they are wanted."""

from typing import Literal

from pyinfra.api import StringCommand
from pyinfra.facts.files import FileDict

from tasks.host import differences
from tasks.host.operations.failing import fail


def in_the_way(path: str) -> StringCommand:
    """Tell of something that is no file where one should be, and make the command that fails for it."""
    differences.tell(path, "is something else than a file; remove it", mended=False)
    return fail(f"{path} is something else than a file; remove it, and deploy")


def tell(
    path: str, found: FileDict | Literal[False] | None, group: str, mode: str, same: bool = True
) -> None:
    """Tell how a path is otherwise than it is wanted, if it is.

    :param found: pyinfra's fact of it: None where nothing is, False where something else is
    :param same: whether it holds what it should
    """
    if found is None:
        words = "is not there"
    elif found is False:
        words = "is something else than it should be"
    else:
        words = " and ".join(
            filter(None, ["" if same else "its content is another", differences.rights(found, group, mode)])
        )
    if words:
        differences.tell(path, words)
