"""What a way to log in consists of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tasks.activation.leftovers import Remains
from tasks.part.check import Account, Layer

SMTPD_CONF = "/etc/postfix/sasl/smtpd.conf"


@dataclass(frozen=True)
class Asked:
    """Whom Postfix asks; several ways may share one."""

    health: str
    """Shell script that prints what is wrong with it on the host, a line each."""
    type: str = "cyrus"
    """Its protocol: smtpd_sasl_type."""
    path: str = "smtpd"
    """Where it is: smtpd_sasl_path; for libsasl the name of its file of settings."""
    smtpd_conf: Mapping[str, str] = field(default_factory=dict)
    """What libsasl has to know of it, as the lines of smtpd.conf; nothing where libsasl is not asked."""
    offers: str = SMTPD_CONF
    """File that decides which mechanisms are offered; each smtpd process learns that once, when it begins."""
    leaves: Remains = field(default_factory=Remains)
    """What is to go from the host, where somebody else is asked."""


class Way(Protocol):
    """A way to log in, as a module: `login` is its section of the inventory."""

    PACKAGES: Sequence[str]
    """Debian packages that only some ways need, this one among them."""

    ASKED: Asked
    """Whom Postfix asks."""

    LEAVES: Remains
    """What it alone has on the host, which is to go where another way takes its place."""

    def check(self, login: Any) -> None:
        """Refuse files of the operator that it could not work with.

        :raises SettingsError: when one is missing or not what its setting says
        """

    def mechanisms(self, login: Any) -> Sequence[str]:
        """Name the SASL mechanisms that it offers under TLS."""

    def configure(self, login: Any) -> None:
        """Have it check passwords on the host."""

    def layers(self, login: Any, account: Account | None) -> Iterator[Layer]:
        """Say what has to be well for a login, for the doctor; the last is whether Postfix gets its answer.

        :param account: who should be able to log in, if somebody was named
        """
