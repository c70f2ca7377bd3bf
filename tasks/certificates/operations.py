"""A certificate that the host keeps valid itself."""

from collections.abc import Generator

import click
from pyinfra import host
from pyinfra.api import FunctionCommand, Host, QuoteString, State, StringCommand, operation
from pyinfra.api.command import PyinfraCommand

from tasks.certificates.facts import Renewal
from tasks.host import differences


@operation()
def renewed(path: str, script: str) -> Generator[PyinfraCommand, None, None]:
    """Have the host obtain a certificate where one is due, as it does by itself later on.

    Where none can be had, and what is there serves still, the run goes on, and says so.

    + path: where it is, with its key
    + script: the program that does it (onhost/renewal.sh)
    """
    if due := host.get_fact(Renewal, script=script)["due"]:
        differences.tell(path, f"has to be renewed: {', and '.join(due)}")
        yield StringCommand(
            StringCommand("renewal=", QuoteString(script), ";", _separator=""),
            'bash -c "$renewal" renewal.sh renew || bash -c "$renewal" renewal.sh enough',
        )
        yield FunctionCommand(_tell, (path, script), {})
    else:
        host.noop("the certificate is valid and not yet due")


def _tell(state: State, host: Host, path: str, script: str) -> None:
    for why in host.get_fact(Renewal, script=script)["failed"]:
        words = click.style(f"{path} is not what it should be: {why}", fg="red", bold=True)
        click.echo(f"{host.print_prefix}{words}", err=True)
