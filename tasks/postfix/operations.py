"""Postfix's own configuration files, through postconf(1)."""

from collections.abc import Container, Generator, Iterator, Sequence

from pyinfra import host
from pyinfra.api import OperationError, QuoteString, StringCommand, operation

from tasks.host import differences
from tasks.host.operations.failing import fail
from tasks.host.templates import program
from tasks.postfix.configuration import NOTHING, OWN, Change, Configuration, calls, changes
from tasks.postfix.facts import PostfixSays
from tasks.postfix.origin import additions

DIRECTORY = "/etc/postfix"
FILES = MAIN_CF, MASTER_CF = f"{DIRECTORY}/main.cf", f"{DIRECTORY}/master.cf"


@operation()
def configuration(
    wanted: Configuration, former: Configuration = NOTHING, rehearsal: str = ""
) -> Generator[StringCommand, None, None]:
    """Own these parameters, services and options in main.cf and master.cf, and leave all others alone.

    The change is made on a copy, checked there, and renamed into place: Postfix's daemons read main.cf
    whenever one of them starts, so what lies there must never be half a change.

    + wanted: what the two files are to say
    + former: what they were to say before
    + rehearsal: bash(1) script that prints what would not answer, given the directory of the copy
    """
    found = host.get_fact(PostfixSays)
    if found is None:  # while a first run is prepared; the packages come before
        differences.tell("main.cf and master.cf", "are not there, as Postfix is not installed")
        yield fail("postconf is missing: Postfix is not installed")
    elif due := changes(wanted, found, former):
        for what, words in told(due, wanted.confidential):
            differences.tell(what, words)
        yield _switch(calls(due), rehearsal)
    else:
        host.noop("main.cf and master.cf are up to date")


def tried_aside(wanted: Configuration, former: Configuration, trial: StringCommand) -> StringCommand:
    """Make the command that tries main.cf and master.cf as they are to become, in a directory of its own.

    :param wanted: what the two files are to say
    :param former: what they were to say before
    :param trial: shell command that does so; ``$new`` is the directory
    :raises OperationError: where Postfix is not installed
    """
    found = host.get_fact(PostfixSays)
    if found is None:
        raise OperationError("postconf is missing: Postfix is not installed")
    return StringCommand(_copied(), *_edits(calls(changes(wanted, found, former))), _DATED, "&&", trial)


LONGEST = 60
"""Characters of a value that is shown."""


def told(due: Sequence[Change], confidential: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """Say what of which file is otherwise than is wanted, with its value where that is short, and shown.

    :param confidential: parameters whose values are not shown
    """
    missing = {change.key for change in due if change.option == "-M"}
    wanted = [change.wanted or "" for change in due]
    for change in due:
        service, _, name = change.key.rpartition("/")
        if service in missing:  # so are its options
            continue
        if name.startswith(OWN) and any(f"${name}" in value for value in wanted):
            continue  # postconf(1), -n, leaves out what nothing refers to
        file = MAIN_CF if change.option in ("-e", "-X") else MASTER_CF
        values = [value for value in (change.found, change.wanted) if value is not None]
        shown = name not in confidential and all(len(value) <= LONGEST for value in values)
        yield f"{file} {change.key}", _otherwise(change, shown)


def _otherwise(change: Change, shown: bool) -> str:
    if change.found is None:
        return f"is not there, and is to be {change.wanted!r}" if shown else "is not there"
    if change.wanted is None:
        return f"is {change.found!r}, and is not to be there" if shown else "is not to be there"
    return f"is {change.found!r}, not {change.wanted!r}" if shown else "is not as it is to be"


@operation()
def put_back(ours: Configuration, origin: str) -> Generator[StringCommand, None, None]:
    """Have main.cf and master.cf as they were before the first run, with what others have set since.

    + ours: what the last run wanted
    + origin: directory with the two as they were; empty where nobody knows: then ours is taken out of them
    """
    found = host.get_fact(PostfixSays)
    if found is None:
        host.noop("Postfix is not installed")
        return
    if origin:
        before = host.get_fact(PostfixSays, directory=origin)
        assert before is not None  # it is the same Postfix that tells
        due = calls(additions(before, found, ours))
    else:
        due = calls(changes(NOTHING, found, ours))
    yield StringCommand(
        f"cd {DIRECTORY} && new=$(mktemp -d {DIRECTORY}/.new.XXXXXX) && trap 'rm -rf \"$new\"' EXIT",
        StringCommand("&& cd", QuoteString(origin or DIRECTORY), '&& cp -p main.cf master.cf "$new"/ &&'),
        *_edits(due),
        f'mv "$new"/main.cf {MAIN_CF} && mv "$new"/master.cf {MASTER_CF}',
        "&& if postfix status 2>/dev/null; then systemctl restart postfix; fi",
        "&& cd $(postconf -h queue_directory) && rm -f",
        *map(QuoteString, left_in_queue_directory(ours)),
    )


def left_in_queue_directory(ours: Configuration) -> list[str]:
    """Name the sockets and locks that Postfix leaves of services that it had for us alone (master(8))."""
    keys = [key.rsplit("/", 1) for key, service in ours.services.items() if service and not service.shipped]
    return [
        path for name, kind in keys for path in (f"private/{name}", f"public/{name}", f"pid/{kind}.{name}")
    ]


def _edits(commands: list[list[str]]) -> list[StringCommand]:
    return [
        StringCommand('postconf -c "$new"', command[0], *map(QuoteString, command[1:]), "&&")
        for command in commands
    ]


_DATED = 'touch -d "5 seconds ago" "$new"/main.cf "$new"/master.cf'
"""Postfix takes main.cf for whole once it is two seconds old, and waits for that (dict_load_file_xt in its
dict.c). Nobody else writes the copy, so it is whole, and says so by its date."""


def _copied() -> str:
    return (
        f"cd {DIRECTORY} && new=$(mktemp -d {DIRECTORY}/.new.XXXXXX) && trap 'rm -rf \"$new\"' EXIT && "
        'cp -p main.cf master.cf "$new"/ && chmod 755 "$new" &&'
    )


def _switch(commands: list[list[str]], rehearsal: str) -> StringCommand:
    """Apply postconf calls to a copy, refuse it where there is something new to complain of, switch."""
    return StringCommand(
        program("aside.sh"),
        _copied(),
        *_edits(commands),
        _DATED,
        '&& if refused "$new"; then exit 1; fi &&',
        *([StringCommand("rehearsed", '"$new"', QuoteString(rehearsal), "&&")] if rehearsal else []),
        f'mv "$new"/main.cf {DIRECTORY}/main.cf && mv "$new"/master.cf {DIRECTORY}/master.cf',
    )
