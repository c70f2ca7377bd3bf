"""The relay itself, as the inventory tells it."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Fqdn


class Relay(Section):
    """The relay itself."""

    hostname: Annotated[Fqdn | None, Becomes("myhostname")] = None
    """Fully qualified name by which the relay greets; by default the host's name in the inventory."""

    service_names: Annotated[tuple[Fqdn, ...], Becomes("certificate")] = ()
    """Names by which users reach the relay, where that is not the host's own: `smtp.example.org`, which may
    lead to several hosts. The certificate has to be for these."""

    certificate_days: Annotated[int, Field(ge=0, le=366), Becomes("verification")] = 14
    """Days before the certificate's end from which `verify`, `doctor` and `drift` call that a fault; of a
    short validity, the last fifth."""

    address_families: Annotated[Literal["all", "ipv4"], Becomes("inet_protocols")] = "all"
    """Families in which the relay serves and delivers: IPv4 and IPv6, or IPv4 alone."""

    replace_mail_server: Annotated[bool, Becomes("packages")] = False
    """Remove another mail server's packages (exim4, say) instead of refusing the host."""
