"""The command in Markdown, made of its own help, for docs/reference/commands.md (``python -m docs``)."""

from collections.abc import Iterator

import click

from quietrelay.main import quietrelay

WIDTH = 80


def told() -> str:
    """Write the help of the command and of each of its subcommands."""
    return "\n".join(_commands())


def _commands() -> Iterator[str]:
    settings = quietrelay.context_settings
    whole = click.Context(quietrelay, info_name="quietrelay", terminal_width=WIDTH, **settings)
    yield f"```text\n{quietrelay.get_help(whole)}\n```\n"
    for name, command in quietrelay.commands.items():
        part = click.Context(command, parent=whole, info_name=name)
        yield f"### quietrelay {name}\n\n```text\n{command.get_help(part)}\n```\n"
