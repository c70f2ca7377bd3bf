"""What a relay's accounts are named after."""

from typing import NamedTuple


class Realm(NamedTuple):
    """The relay, as its accounts see it."""

    hostname: str
    local_domain: str = ""
    """Domain of a login without one, where the inventory names it."""

    @property
    def name(self) -> str:
        """The realm that libsasl gives to a login without one (smtpd_sasl_local_domain in postconf(5))."""
        return self.local_domain or self.hostname
