"""TLS on both sides of the relay, as the inventory tells it."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import HostPath, Line


class ServerTls(Section):
    """TLS towards those who connect to the relay."""

    log_level: Annotated[int, Field(ge=0, le=4), Becomes("smtpd_tls_loglevel")] = 1
    """1 logs a line a connection; 2 and more are for hunting errors."""

    received_header: Annotated[bool, Becomes("smtpd_tls_received_header")] = True
    """Note protocol and cipher in the trace header of inbound mail (users' mail carries neither)."""

    session_cache: Annotated[bool, Becomes("smtpd_tls_session_cache_database")] = True
    """Keep TLS sessions, so that a client that returns is served faster."""


class ClientTls(Section):
    """TLS towards the servers that the relay delivers to."""

    security_level: Annotated[
        Literal["auto", "none", "may", "encrypt", "dane", "verify", "secure"],
        Becomes("smtp_tls_security_level"),
    ] = "auto"
    """`may` encrypts wherever the other side can, and delivers all the same where it cannot. `dane` does so
    too, and where a server publishes its key in DNS (RFC 7672) delivers to no other; it needs a resolver that
    validates by DNSSEC, and is refused without one. `auto` is `dane` where there is one, and else `may`."""

    ca_file: Annotated[HostPath, Becomes("smtp_tls_CAfile")] = "/etc/ssl/certs/ca-certificates.crt"
    """Path on the host: CAs that other servers' certificates are checked against."""

    log_level: Annotated[int, Field(ge=0, le=4), Becomes("smtp_tls_loglevel")] = 1
    """1 logs a line a connection; 2 and more are for hunting errors."""

    session_cache: Annotated[bool, Becomes("smtp_tls_session_cache_database")] = True
    """Keep TLS sessions between deliveries to the same server."""

    mta_sts: Annotated[bool, Becomes("smtp_tls_policy_maps")] = False
    """Ask domains by HTTPS what their servers are (MTA-STS, RFC 8461), and where they insist deliver to no
    other; a key in DNS counts for more."""

    policy: Annotated[dict[Line, Line], Becomes("smtp_tls_policy_maps")] = Field(default_factory=dict)
    """Destination to policy, for those that need another one: `{"example.com": "secure"}`. It counts for more
    than what the destination says itself."""
