"""A relay's settings, and how to vary them."""

from tasks.inventory.section import Section
from tasks.settings import Relay, SaslauthdLdap, Settings

HOSTNAME = "mx1.example.org"
LOGIN = SaslauthdLdap(servers=["ldaps://ldap.example.org"], search_base="ou=People,dc=example,dc=org")


def relay_with(**sections: Section) -> Settings:
    """Make a relay's settings: the defaults, but for these sections."""
    return Settings.model_validate({"relay": Relay(hostname=HOSTNAME), "login": LOGIN} | sections)
