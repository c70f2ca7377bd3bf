"""What tests and inventories need to know about the lab, and may do to it. Importing it does nothing."""

from __future__ import annotations

from datetime import timedelta

from lab import certificates, lifecycle
from lab.certificates import LIFETIME, Certificate
from lab.paths import CA_CERTIFICATE, KNOWN_HOSTS, SERVICE_PASSWORD_FILE, SSH_CONFIG, SSH_KEY
from lab.topology import (
    BASE_DN,
    HOSTS,
    OUTSIDE_DOMAIN,
    OUTSIDE_MAILDIR,
    PEOPLE_DN,
    RELAY_DOMAIN,
    RELAYS,
    SERVICE_DN,
    SERVICE_PASSWORD,
    USERS,
    Host,
    User,
    host_named,
    user_named,
)

__all__ = [
    "BASE_DN",
    "CA_CERTIFICATE",
    "HOSTS",
    "KNOWN_HOSTS",
    "OUTSIDE_DOMAIN",
    "OUTSIDE_MAILDIR",
    "PEOPLE_DN",
    "RELAYS",
    "RELAY_DOMAIN",
    "SERVICE_DN",
    "SERVICE_PASSWORD",
    "SERVICE_PASSWORD_FILE",
    "SSH_CONFIG",
    "SSH_KEY",
    "SUDOER",
    "USERS",
    "Host",
    "User",
    "host_named",
    "issue_certificate",
    "put_back",
    "remember",
    "reset",
    "restart",
    "user_named",
]


SUDOER = "operator"
"""Who may log in to a host beside root, and become it."""


def reset(name: str) -> None:
    """Put a host of the running lab into its first state; takes seconds.

    + name: full or short host name

    Raises KeyError for an unknown name, LabError if the lab is not up or the host does not come back.
    """
    lifecycle.reset(host_named(name))


def restart(*names: str) -> None:
    """Reboot hosts of the running lab, with what they have on disk. Raises as `reset` does."""
    for name in names:
        lifecycle.restart(host_named(name))


def remember() -> None:
    """Note how all hosts are: nothing to do, since a host made anew is as good as one put back."""


def put_back() -> None:
    """Put all hosts back to what was remembered: nothing to do either, see `remember`."""


def issue_certificate(name: str, *addresses: str, lifetime: timedelta = LIFETIME) -> Certificate:
    """A server certificate and key in PEM from the running lab's authority, which CA_CERTIFICATE holds.

    + name: host name
    + addresses: IPv4 and IPv6 addresses that it is for as well
    + lifetime: from now on; negative for one that has expired
    """
    return certificates.issue(certificates.ensure_authority(), name, *addresses, lifetime=lifetime)
