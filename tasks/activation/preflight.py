"""What has to be true before anything on any host is changed.

pyinfra prepares all hosts before it executes on the first, and an exception while preparing ends the run. So
everything that can be wrong with the inventory, the operator's files and the hosts is looked for here.
"""

from pyinfra import host

from tasks import settings
from tasks.certificates import part as certificates
from tasks.host.facts.host import Ground, GroundSays
from tasks.inventory.errors import DeployError
from tasks.inventory.source import inventory_file
from tasks.login import part as sasl
from tasks.postfix import obstacles
from tasks.postfix.configuration import Postconf
from tasks.postfix.facts import PostfixSays
from tasks.privacy import part as privacy
from tasks.senders import part as ownership
from tasks.smtpd import part as smtpd

# VERSION_ID in os-release(5), with the Postfix that the release ships.
SUPPORTED = {"12": "Postfix 3.7", "13": "Postfix 3.10"}


class PreflightError(DeployError):
    """A host that the deploy cannot serve, said in one line: file, host, what, remedy."""


def check() -> None:
    """Refuse what cannot work.

    :raises SettingsError: for an impossible setting or an operator's file that is missing or wrong
    :raises PreflightError: for a host that is not what the deploy can serve
    """
    relay = settings.of(host)
    certificates.check(relay)
    sasl.check(relay)
    ownership.check(relay)
    ground = host.get_fact(Ground)
    if ground is None:  # pyinfra goes on preparing as long as other hosts are well
        raise PreflightError(
            f"{inventory_file()} ({host.name}): cannot be looked at (above); mend that first"
        )
    if complaint := complain(ground, relay) or complain_of_postfix(host.get_fact(PostfixSays), relay):
        raise PreflightError(f"{inventory_file()} ({host.name}): {complaint}")


def complain(ground: GroundSays, relay: settings.Settings) -> str | None:
    """Say what makes a host unfit, and what to do; None for one that is fit."""
    if ground["uid"] != "0":
        return f'the deploy runs there as user id {ground["uid"]}, not as root; add "_sudo": True to its data'
    if ground["id"] != "debian" or ground["version_id"] not in SUPPORTED:
        return (
            f"the host runs {ground['id']} {ground['version_id']}, which is not supported; "
            f"use Debian {' or '.join(SUPPORTED)}"
        )
    if ground["init"] != "systemd":
        return f"the host's init is {ground['init']}, which is not supported; boot it with systemd"
    if ground["mail_servers"] and not relay.relay.replace_mail_server:
        return (
            f"another mail server is installed ({', '.join(ground['mail_servers'])}); "
            "remove it, or allow that with Relay(replace_mail_server=True)"
        )
    going = ground["mail_servers"]
    if strangers := [name for name, package in ground["listeners"].items() if package not in going]:
        return f"{', '.join(strangers)} listens on 25, 465 or 587; stop it, and keep it from starting"
    return None


def complain_of_postfix(found: Postconf | None, relay: settings.Settings) -> str | None:
    """Say what in a host's main.cf or master.cf no run may build on; None where nothing does."""
    if found is None:  # Postfix is not installed yet
        return None
    services = {**smtpd.configuration(relay).services, **privacy.configuration(relay, mark="").services}
    for_users = [key for key, service in services.items() if service == smtpd.SMTPD]
    if not relay.submission.auth_on_25:
        for_users.remove("smtp/inet")
    client = relay.client_tls
    return obstacles.complain(found, for_users, client.security_level, client.policy)
