"""What each role adds to a bare Debian."""

from __future__ import annotations

from collections.abc import Mapping

from lab.furnishing import Role
from lab.roles import directory, outside
from lab.topology import RoleName

# A relay's packages, there already: for relays by the dozen, where installing is not what matters.
INSTALLED = ("postfix", "postfix-pcre", "sasl2-bin", "libsasl2-modules", "telnet-ssl", "openssl")

ROLES: Mapping[RoleName, Role] = {
    "relay": Role(),
    "installed": Role(INSTALLED),
    "client": Role(),
    "directory": directory.ROLE,
    "outside": outside.ROLE,
}
