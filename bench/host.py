"""A shell on a host of the lab."""

from lab.access import command
from lab.process import run
from lab.topology import Host


def run_on(host: Host, script: str, timeout: float = 120) -> str:
    """Run a shell script as root and return what it prints.

    :raises LabError: when it fails
    """
    return run(command(host, ["sudo", "sh", "-s"]), stdin=script, timeout=timeout)
