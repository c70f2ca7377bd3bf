"""Postfix's own configuration files, through postconf(1)."""

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from tasks.host.operations.failing import fail
from tasks.host.templates import program
from tasks.postfix.configuration import NOTHING, Configuration, changes
from tasks.postfix.facts import PostfixSays

DIRECTORY = "/etc/postfix"


@operation()
def configuration(
    wanted: Configuration, former: Configuration = NOTHING
) -> Generator[StringCommand, None, None]:
    """Own these parameters, services and options in main.cf and master.cf, and leave all others alone.

    The change is made on a copy, checked there, and renamed into place: Postfix's daemons read main.cf
    whenever one of them starts, so what lies there must never be half a change.

    + wanted: what the two files are to say
    + former: what they were to say before
    """
    found = host.get_fact(PostfixSays)
    if found is None:  # while a first run is prepared; the packages come before
        yield fail("postconf is missing: Postfix is not installed")
    elif commands := changes(wanted, found, former):
        yield _switch(commands)
    else:
        host.noop("main.cf and master.cf are up to date")


def _switch(commands: list[list[str]]) -> StringCommand:
    """Apply postconf calls to a copy, refuse it where there is something new to complain of, switch.

    Postfix takes main.cf for whole once it is two seconds old, and waits for that (dict_load_file_xt in its
    dict.c). Nobody else writes the copy, so it is whole, and says so by its date.
    """
    edits = [
        StringCommand('postconf -c "$new"', command[0], *map(QuoteString, command[1:]), "&&")
        for command in commands
    ]
    return StringCommand(
        program("aside.sh"),
        f"cd {DIRECTORY} && new=$(mktemp -d {DIRECTORY}/.new.XXXXXX) && trap 'rm -rf \"$new\"' EXIT",
        '&& cp -p main.cf master.cf "$new"/ && chmod 755 "$new" &&',
        *edits,
        'touch -d "5 seconds ago" "$new"/main.cf "$new"/master.cf && if refused "$new"; then exit 1; fi',
        f'&& mv "$new"/main.cf {DIRECTORY}/main.cf && mv "$new"/master.cf {DIRECTORY}/master.cf',
    )
