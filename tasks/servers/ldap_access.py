"""How an LDAP directory is reached: what the sections that name one have in common. Pure; no host."""

from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit


class LdapAccess(Protocol):
    """A section that says how a directory is reached."""

    @property
    def servers(self) -> tuple[str, ...]: ...
    @property
    def start_tls(self) -> bool | None: ...
    @property
    def bind_dn(self) -> str | None: ...
    @property
    def bind_password_file(self) -> str | None: ...


@runtime_checkable
class SearchedDirectory(LdapAccess, Protocol):
    """A section that says where a directory is searched, too."""

    @property
    def search_base(self) -> str | None: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def uses_start_tls(self) -> bool: ...


def agree(access: LdapAccess) -> None:
    """Find that these settings go together.

    :raises ValueError: saying which do not, and what to do
    """
    schemes = {urlsplit(url).scheme for url in access.servers}
    if not schemes:
        raise ValueError("servers is empty; name at least one directory server")
    if len(schemes) > 1:
        raise ValueError("servers: ldap:// and ldaps:// are mixed; choose one for all servers")
    if access.start_tls and schemes == {"ldaps"}:
        raise ValueError("start_tls contradicts ldaps:// in servers; drop one of them")
    if access.start_tls is False and schemes == {"ldap"}:
        raise ValueError("start_tls=False would send passwords in the clear; use ldaps:// or drop it")
    if (access.bind_dn is None) != (access.bind_password_file is None):
        raise ValueError("bind_dn and bind_password_file belong together; give both or neither")


def uses_start_tls(access: LdapAccess) -> bool:
    """Tell whether the connection begins in the clear and is then encrypted."""
    return urlsplit(access.servers[0]).scheme == "ldap"
