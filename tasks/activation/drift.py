"""Drift: what of a host differs from what is wanted, looked at as a run would, and left as it is."""

import sys
from datetime import UTC, datetime

from pyinfra import host

from tasks.activation import activate, preflight
from tasks.host import differences
from tasks.host.differences import Days
from tasks.host.facts.certificates import ValidityOf
from tasks.host.facts.host import HostSays
from tasks.inventory.errors import DeployError
from tasks.part import Part


class DriftError(DeployError):
    """A run that would change what it is only to look at."""


def days_left(wanted: Part, least: int) -> Days | None:
    """Tell for how many days the certificate is valid that the relay shows; None where there is none.

    :param wanted: may be of a host that nobody has looked at
    :param least: days that it has to be valid still
    """
    files = str(wanted.postfix.parameters["smtpd_tls_chain_files"]).split(", ")
    found = host.get_fact(ValidityOf, paths=files)
    return Days((found.end - datetime.now(UTC)).days, found.least(least)) if found else None


def look(wanted: Part, found: HostSays, days: Days | None) -> None:
    """Tell what differs, and have pyinfra plan what mends it.

    :param found: what the host is now
    :param days: for which its certificate is valid, and has to be
    :raises PreflightError: for what the operator has to mend before a host can be compared with it
    :raises DriftError: for a run that is no plan
    """
    if "--dry" not in sys.argv:
        raise DriftError("drift.py only looks; add --dry, or deploy with deploy.py")
    if not preflight.comparable(wanted, found):
        return
    for complaint in preflight.of_host(wanted, found):
        differences.tell(complaint.words, "", mended=False)
    activate.bring_about(wanted)
    differences.seen(days)
