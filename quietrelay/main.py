"""The command ``quietrelay``: what may be typed, and what it leads to."""

import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from quietrelay import deploying, drifting, underneath, verifying, waves
from quietrelay import inventory as inventories
from quietrelay import new as operators_directory
from quietrelay.places import CLONE
from quietrelay.refusal import Refusal

Command = TypeVar("Command", bound=Callable[..., None])

limit = click.option(
    "--limit", "limits", metavar="HOST", multiple=True, help="This host or group alone; may be said again."
)
login = click.option("--user", "--login", "user", metavar="NAME", help="Log in as NAME as well.")
password_file = click.option(
    "--password-file", metavar="FILE", help="Its first line is NAME's password; without it you are asked."
)


skip_check = click.option(
    "--skip-check",
    "skips",
    metavar="NAME",
    multiple=True,
    help="Leave a preflight check out; may be said again.",
)


def sizes_of_waves(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    """Refuse what are no sizes of waves."""
    try:
        return value if value and waves.sizes(value) else ""
    except ValueError as error:
        raise Refusal(f"--waves: {error}") from None


def confirm(planned: underneath.Ended) -> None:
    """Ask whether to do what was planned, and end where that is nothing or the answer is no."""
    if not deploying.has_work(planned):
        sys.exit(planned.status)
    if not click.confirm("Do that now?"):
        click.echo("Nothing was changed.")
        sys.exit()
    click.echo()


def inventory(command: Command) -> Command:
    """Let a command take an inventory."""
    return click.argument("inventory", metavar="INVENTORY")(command)


def version() -> str:
    """Read this program's version."""
    return str(tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


class InOrder(click.Group):
    """A group whose commands are listed as one comes to need them, and not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="quietrelay", message="%(prog)s %(version)s")
def quietrelay() -> None:
    """Turn Debian hosts into authenticated mail relays, and prove it.

    INVENTORY is a file in Python that says what your relays should be. Begin with "quietrelay new ~/relays".
    """


@quietrelay.command()
@click.argument("directory", type=click.Path(path_type=Path))
def new(directory: Path) -> None:
    """Make a directory for your inventory.

    It gets an inventory to edit, a place for secrets that nobody else can read, and a README. DIRECTORY has
    to be new or empty, and outside the clone of this program.
    """
    made = operators_directory.make(directory)
    click.echo(
        f"{directory} is made. Next, edit {made}, then see what it would change:\n"
        f"  {shlex.join(['quietrelay', 'plan', str(made)])}"
    )


@quietrelay.command()
@inventory
@limit
@skip_check
def plan(inventory: str, limits: tuple[str, ...], skips: tuple[str, ...]) -> None:
    """Show what a deploy would change, and change nothing.

    The exit status is pyinfra's: 0, or 1 where a host failed.
    """
    inventories.hosts(inventory, limits)
    planned = deploying.plan(inventory, limits, skips)
    if deploying.has_work(planned):
        underneath.suggest("quietrelay", "deploy", inventory, *deploying.limited(limits))
    sys.exit(planned.status)


@quietrelay.command()
@inventory
@limit
@skip_check
@click.option("--serial", is_flag=True, help="One relay after the other, as --waves 1.")
@click.option(
    "--waves",
    "sizes",
    metavar="SIZES",
    callback=sizes_of_waves,
    help='So many relays at once, then so many: "1,5,rest".',
)
@click.option("--yes", "-y", is_flag=True, help="Neither show the plan first nor ask.")
def deploy(
    inventory: str, limits: tuple[str, ...], skips: tuple[str, ...], serial: bool, sizes: str, yes: bool
) -> None:
    """Make the relays what the inventory says.

    First the plan is shown, and you are asked; where nothing would change, that is the end. In waves, or one
    after the other, a relay that fails is the last: those after it keep what they have. The exit status is
    pyinfra's: 0, or 1 where a host failed.
    """
    if serial and sizes:
        raise Refusal("--serial is --waves 1; drop one of them")
    if not yes and not sys.stdin.isatty():
        raise Refusal("there is no terminal to ask you at whether to deploy; add --yes")
    inventories.hosts(inventory, limits)
    if not yes:
        planned = deploying.plan(inventory, limits, skips)
        confirm(planned)
    status = deploying.deploy(inventory, limits, skips, "1" if serial else sizes)
    if status == 0:
        underneath.suggest("quietrelay", "verify", inventory, *deploying.limited(limits))
    sys.exit(status)


@quietrelay.command()
@inventory
@limit
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def rollback(inventory: str, limits: tuple[str, ...], yes: bool) -> None:
    """Go back to what the relays were before the last deploy that changed them.

    Each host does that by itself, and proves that it answers; where it does not, it stays what it is. A
    second rollback is the way forth again. Packages that were installed stay. The exit status is pyinfra's:
    0, or 1 where a host failed.
    """
    if not yes and not sys.stdin.isatty():
        raise Refusal("there is no terminal to ask you at whether to go back; add --yes")
    hosts = inventories.hosts(inventory, limits)
    if not yes and not click.confirm(f"Take {inventories.named(hosts)} back to the former relay?"):
        click.echo("Nothing was changed.")
        return
    sys.exit(deploying.rollback(inventory, limits))


@quietrelay.command()
@inventory
@limit
@click.option("--packages", is_flag=True, help="Purge the packages, too, that were not there before.")
@click.option("--yes", "-y", is_flag=True, help="Neither show the plan first nor ask.")
def remove(inventory: str, limits: tuple[str, ...], packages: bool, yes: bool) -> None:
    """Take the relays away: Postfix and firewall as before the first deploy.

    What you set yourself since is kept. Accounts, secrets and all that was kept to go back to are gone. First
    the plan is shown, and you are asked. The exit status is pyinfra's: 0, or 1 where a host failed.
    """
    if not yes and not sys.stdin.isatty():
        raise Refusal("there is no terminal to ask you at whether to remove; add --yes")
    inventories.hosts(inventory, limits)
    if not yes:
        planned = deploying.plan_removal(inventory, limits, packages)
        confirm(planned)
    sys.exit(deploying.remove(inventory, limits, packages))


@quietrelay.command()
@inventory
@limit
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(min=0),
    help="Want certificates to be valid so long still, not as the inventory says.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON, and nothing else.")
def drift(inventory: str, limits: tuple[str, ...], days: int | None, as_json: bool) -> None:
    """Say what of the relays differs from the inventory, and change nothing.

    A line for each difference: files and their rights, parameters, packages, services, drop-ins, the
    certificate's days, and settings of somebody else's that break a promise. For monitoring, the exit status
    is 0 where nothing differs, 1 where something does, 2 where a relay could not be looked at.
    """
    inventories.hosts(inventory, limits)
    sys.exit(drifting.drift(inventory, limits, days, as_json))


@quietrelay.command()
@inventory
@limit
@login
@password_file
@click.option("--ca", metavar="FILE", help="Trust this CA as well, a PEM file.")
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(min=0),
    help="Want certificates to be valid so long still, not as the inventory says.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON, and nothing else.")
@click.option("--report", metavar="FILE", help="Write a page about it as well, in HTML.")
@click.argument("pytest", metavar="[-- PYTEST]", nargs=-1, type=click.UNPROCESSED)
def verify(
    inventory: str,
    limits: tuple[str, ...],
    user: str | None,
    password_file: str | None,
    ca: str | None,
    days: int | None,
    as_json: bool,
    report: str | None,
    pytest: tuple[str, ...],
) -> None:
    """Look at the relays and talk to them, and change nothing.

    What is wrong is told by its cause, a line each, with what to do. Words after -- go to pytest: "-- -k tls"
    for a selection, "-- --tb=short" for all of an error. The exit status is 0 where all is as it should be,
    1 where something is not, and 2 or more where nothing could be looked at.
    """
    if password_file and not user:
        raise Refusal("--password-file belongs to --user NAME; add that")
    hosts = inventories.hosts(inventory, limits)
    login = user, password_file
    sys.exit(verifying.verify(inventory, hosts, bool(limits), login, ca, days, as_json, report, pytest))


@quietrelay.command()
@click.argument("file", metavar="FILE")
@click.option("--inventory", metavar="INVENTORY", help="By its first relay, and not by one with defaults.")
@limit
def privacy(file: str, inventory: str | None, limits: tuple[str, ...]) -> None:
    """Show what a relay would make of a message, and why.

    FILE is a message as mail programs save it, .eml; "-" is standard input. Each header is shown before (-)
    and after (+), with the reason. Nothing is sent, and no relay is asked.
    """
    from quietrelay import privacy as page

    page.show(file, inventory, limits)


@quietrelay.command()
@inventory
@limit
@login
@password_file
def doctor(inventory: str, limits: tuple[str, ...], user: str | None, password_file: str | None) -> None:
    """Say why users cannot log in, and change nothing.

    It looks on each relay at what a login rests on, one thing after the other. The exit status is 0 where
    all is well, 1 where something is not, 2 where nothing could be seen.
    """
    hosts = inventories.hosts(inventory, limits)
    from tasks.doctor import doctor as examination  # which makes all threads of this process gevent's

    try:
        sys.exit(examination.examine(inventory, hosts, user, password_file))
    except examination.DoctorError as error:
        raise Refusal(str(error)) from None
