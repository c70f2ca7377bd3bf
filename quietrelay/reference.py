"""The reference page of the command, made of its own help: ``python -m quietrelay.reference`` writes it."""

import sys
from collections.abc import Iterator

import click

from quietrelay.main import quietrelay
from quietrelay.places import COMMANDS_PAGE

WIDTH = 80
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


class CommandsPageError(Exception):
    """A page without a place for the commands, said in one line."""


def commands() -> Iterator[str]:
    """Write the help of the command and of each of its subcommands, in Markdown."""
    settings = quietrelay.context_settings
    whole = click.Context(quietrelay, info_name="quietrelay", terminal_width=WIDTH, **settings)
    yield f"```text\n{quietrelay.get_help(whole)}\n```\n"
    for name, command in quietrelay.commands.items():
        part = click.Context(command, parent=whole, info_name=name)
        yield f"### quietrelay {name}\n\n```text\n{command.get_help(part)}\n```\n"


def updated(page: str) -> str:
    """Put the commands between a page's markers.

    :raises CommandsPageError: where markers are missing
    """
    before, found_begin, rest = page.partition(f"{BEGIN}\n")
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise CommandsPageError(f"the page has no place for the commands: add {BEGIN} and {END}, a line each")
    return before + BEGIN + "\n" + "\n".join(commands()) + END + after


if __name__ == "__main__":
    try:
        COMMANDS_PAGE.write_text(updated(COMMANDS_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    except CommandsPageError as error:
        sys.exit(str(error))
