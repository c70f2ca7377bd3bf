"""A shell on a host of the lab."""

from deploy import relay
from lab.access import command
from lab.process import run
from lab.topology import Host
from tasks.activation.facts.health import Health
from tasks.host.facts.host import UNKNOWN
from tasks.settings import Relay, SaslauthdLdap, Settings

# A relay like those of the lab's inventory.
WANTED = relay(
    Settings(
        relay=Relay(hostname="relay.test"),
        login=SaslauthdLdap(servers=("ldap://directory.relay.test",), search_base="dc=relay,dc=test"),
    ),
    UNKNOWN,
)
PACKAGES = WANTED.packages
HEALTH = Health().command(WANTED.probes).get_raw_value()


def run_on(host: Host, script: str, timeout: float = 120) -> str:
    """Run a shell script as root and return what it prints.

    :raises LabError: when it fails
    """
    return run(command(host, ["sudo", "sh", "-s"]), stdin=script, timeout=timeout)
