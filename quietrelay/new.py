"""Makes an operator's directory: an inventory to edit, a place for secrets, and what to type."""

from pathlib import Path
from shutil import copyfile

from quietrelay.places import CLONE, EXAMPLE
from quietrelay.refusal import Refusal

README = """\
# Relays

`prod.py` says what the relays should be; file names in it count from this directory. Passwords, keys and
certificates belong into `secrets/`, which nobody else can read and git leaves out.

    quietrelay plan prod.py      # what would change; changes nothing
    quietrelay deploy prod.py    # shows that, asks, and does it
    quietrelay verify prod.py    # looks at the relays and talks to them; changes nothing
    quietrelay doctor prod.py    # why users cannot log in
"""


def make(directory: Path) -> Path:
    """Make the directory, or fill one that is empty.

    :returns: the inventory in it
    :raises Refusal: where something is in it, where it lies inside the clone, or where it cannot be made
    """
    _check(directory)
    inventory, secrets = directory / EXAMPLE.name, directory / "secrets"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        secrets.mkdir(mode=0o700)
        copyfile(EXAMPLE, inventory)
        (directory / "README.md").write_text(README, encoding="utf-8")
        (directory / ".gitignore").write_text("secrets/\n", encoding="utf-8")
    except OSError as error:
        raise _refusal(directory, error) from None
    return inventory


def _check(directory: Path) -> None:
    if directory.resolve().is_relative_to(CLONE.resolve()):
        raise Refusal(
            f"{directory} lies inside the clone of quietrelay, {CLONE}; name a directory elsewhere, "
            "so that your files and the program's stay apart"
        )
    try:
        taken = next(directory.iterdir(), None)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refusal(directory, error) from None
    if taken:
        raise Refusal(f"{directory} has something in it ({taken.name}); name one that is new or empty")


def _refusal(directory: Path, error: OSError) -> Refusal:
    reason = (error.strerror or "cannot be made").lower()
    return Refusal(f"{directory} cannot be made ({reason}); name another one, or correct the rights above it")
