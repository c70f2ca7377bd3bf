"""The pages of the reference that are made from the program, each between the two markers of its file.

``python -m docs`` writes them, and a unit test says when that is due.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs import promises
from quietrelay import reference as commands
from tasks import settings_table
from tasks.privacy import headers

REFERENCE = Path(__file__).parent / "reference"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"

PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_table.told,
    "headers.md": headers.told,
    "commands.md": commands.told,
    "promises.md": promises.told,
}


class PageError(Exception):
    """A page without a place for what is generated, said in one line."""


def write() -> None:
    """Write all pages.

    :raises PageError: for a page without markers
    """
    for name, told in PAGES.items():
        page = REFERENCE / name
        try:
            page.write_text(updated(page.read_text(encoding="utf-8"), told()), encoding="utf-8")
        except PageError as error:
            raise PageError(f"{page}: {error}") from None


def updated(page: str, content: str) -> str:
    """Put what is generated into a page.

    :raises PageError: where markers are missing
    """
    before, found_begin, rest = page.partition(f"{BEGIN}\n")
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise PageError(f"there is no place for what is generated; add {BEGIN} and {END}, a line each")
    return f"{before}{BEGIN}\n\n{content}\n{END}{after}"
