"""The doctor: runs the checks of each relay of an inventory one by one, and names the one that fails.

``quietrelay doctor`` is its command line. It goes over the inventory's own connection, and changes nothing on
a host. A password travels over standard input alone.
"""

from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from getpass import getpass
from pathlib import Path

import click
from pydantic import SecretStr
from pyinfra.api import Host, QuoteString, State, StringCommand
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

from deploy import relay
from tasks import settings
from tasks.host.facts.host import UNKNOWN
from tasks.part import Account, Check, Finding, Part, Result, run

PATIENCE = 60  # seconds for one check
COLOURS = {"ok": "green", "FAIL": "red", "skipped": "yellow"}
CONNECTED = "the operator's machine reaches the host"


class DoctorError(Exception):
    """Why nothing could be looked at, said in one line."""


def examine(inventory: str, names: Collection[str], user: str | None, password_file: str | None) -> int:
    """Look at relays, all at once, print what is found in the inventory's order, and give the exit status.

    :param names: the hosts to look at
    :param user: whose login is tried as well
    :param password_file: first line: the password; without it, it is asked for
    :raises DoctorError: when nothing can be looked at
    """
    account = account_of(user, password_file)
    try:
        hosts = hosts_of(inventory, names)
        wanted = {host: checks_of(relay(settings.of(host), UNKNOWN), account) for host in hosts}
        found = list(hosts[0].state.pool.imap(look, hosts, wanted.values()))
    except (PyinfraError, click.ClickException) as error:
        raise DoctorError(str(error)) from None
    wholes = {host.name: show(host, findings) for host, findings in zip(hosts, found, strict=True)}
    conclude([name for name, whole in wholes.items() if not whole], len(wholes))
    return 0 if all(wholes.values()) else 1


def hosts_of(inventory: str, names: Collection[str]) -> list[Host]:
    """Read the inventory as the deploy does, and give these hosts of it."""
    state = State()
    with ctx_state.use(state):  # where pyinfra notes which file it reads
        state.init(make_inventory(inventory), None)
    return [host for host in state.inventory if host.name in names]


def account_of(user: str | None, password_file: str | None) -> Account | None:
    """Ask for the password, or read it.

    :raises DoctorError: when it cannot be had
    """
    if not user:
        if password_file:
            raise DoctorError("--password-file belongs to --user NAME; add that")
        return None
    if not password_file:
        try:
            return Account(user, SecretStr(getpass(f"Password of {user}: ")))
        except EOFError:
            raise DoctorError("no password was given; type it, or add --password-file FILE") from None
    try:
        password = Path(password_file).expanduser().read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise DoctorError(f"--password-file {password_file}: {reason}") from None
    return Account(user, SecretStr(password))


def checks_of(desired: Part, account: Account | None) -> list[Check]:
    """Collect what has to be true on a relay, from what checks passwords up to the ports."""
    return [check for checks in desired.checks for check in checks(account)]


def look(host: Host, wanted: Iterable[Check]) -> list[Finding]:
    """Look at one relay."""
    try:
        host.connect(show_errors=False, raise_exceptions=True)
    except ConnectError as error:
        return [Finding(Check(CONNECTED, "", lambda result: ""), "FAIL", str(error))]
    try:
        return list(run(wanted, lambda check: ask(host, check)))
    finally:
        host.disconnect()


def ask(host: Host, check: Check) -> Result:
    """Run a check's script on the host, as root."""
    given, _ = pop_global_arguments(host.state, host, {})
    arguments = {key: value for key, value in given.items() if key in CONNECTOR_ARGUMENT_KEYS}
    arguments["_timeout"] = PATIENCE
    if check.secret:
        arguments["_stdin"] = b64encode(check.secret.get_secret_value().encode()).decode()
    script = f"export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin\n{check.script}"
    try:
        well, output = host.run_shell_command(StringCommand("bash", "-c", QuoteString(script)), **arguments)
    except TimeoutError:
        return Result(False, f"there was no answer within {PATIENCE} s")
    return Result(well, output.output)


def show(host: Host, findings: Iterable[Finding]) -> bool:
    """Print what was found on a relay, and tell whether all is well."""
    failed = []
    click.secho(f"\n{host.name}", bold=True)
    for check, state, words in findings:
        told = f": {words}" if state == "ok" and words else ""
        click.echo(f"  {click.style(f'{state:<7}', fg=COLOURS[state])}  {check.name}{told}")
        if state == "FAIL":
            click.echo(f"           {words}")
            failed.append(check.name)
    verdict = f"Failed: {'; '.join(failed)}; checks that need it were skipped" if failed else "All is well"
    click.secho(f"  {verdict}.", fg="red" if failed else "green")
    return not failed


def conclude(failed: Sequence[str], number: int) -> None:
    """Print what all that comes to, where it was more than one relay."""
    if number > 1:
        words = (
            f"{len(failed)} of {number} relays failed a check: {', '.join(failed)}"
            if failed
            else "All relays are well"
        )
        click.secho(f"\n{words}.", fg="red" if failed else "green")
