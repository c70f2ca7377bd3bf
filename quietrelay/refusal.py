"""Why a command does not begin."""

import click


class Refusal(click.ClickException):
    """Something that cannot work, said in one line: what, where, and what to do. Nothing was changed."""

    exit_code = 2
