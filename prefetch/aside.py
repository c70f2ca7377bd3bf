"""A change that no question sees."""

from pyinfra.api import StringCommand


class Aside(StringCommand):
    """A command that writes nothing but what no fact of its run asks for: every answer still holds after it.

    It is for what is prepared beside its place, and for what is kept of what is there already. What it writes
    becomes the host's state by another command, which drops all answers as every change does.
    """
