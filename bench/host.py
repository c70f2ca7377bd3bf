"""A shell on a host of the lab."""

from lab.access import command
from lab.process import run
from lab.topology import Host
from tasks.activation.facts.health import Health
from tasks.activation.packages import WANTED
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.saslauthd import ldap

# What the lab's inventory wants of a relay.
PACKAGES = [*WANTED, *ldap.PACKAGES]
HEALTH = Health().command(saslauthd.HEALTH, saslauthd.MECHANISMS, auth_on_25=True).get_raw_value()


def run_on(host: Host, script: str, timeout: float = 120) -> str:
    """Run a shell script as root and return what it prints.

    :raises LabError: when it fails
    """
    return run(command(host, ["sudo", "sh", "-s"]), stdin=script, timeout=timeout)
