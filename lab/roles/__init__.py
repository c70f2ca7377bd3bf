"""What each role adds to a bare Debian."""

from __future__ import annotations

from collections.abc import Mapping

from lab.furnishing import Role
from lab.roles import directory, outside
from lab.topology import RoleName

ROLES: Mapping[RoleName, Role] = {
    "relay": Role(),
    "client": Role(),
    "directory": directory.ROLE,
    "outside": outside.ROLE,
}
