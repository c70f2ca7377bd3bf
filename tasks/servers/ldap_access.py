"""How an LDAP directory is reached: what the sections that name one have in common. Pure; no host."""

from ipaddress import ip_address
from typing import Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

from tasks.part import Server

LDAPI = "/var/run/slapd/ldapi"  # Debian's, for ldapi:///


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
    if access.start_tls and "ldap" not in schemes:
        raise ValueError(f"start_tls contradicts {schemes.pop()}:// in servers; drop one of them")
    if access.start_tls is False and any(crosses_a_network(url) for url in access.servers):
        raise ValueError("start_tls=False would send passwords in the clear; use ldaps:// or drop it")
    if (access.bind_dn is None) != (access.bind_password_file is None):
        raise ValueError("bind_dn and bind_password_file belong together; give both or neither")


def of_one_kind(access: LdapAccess) -> None:
    """Find that the servers have TLS in the same way.

    :raises ValueError: saying how they differ
    """
    schemes = sorted({urlsplit(url).scheme for url in access.servers})
    if len(schemes) > 1:
        raise ValueError(f"servers: {':// and '.join(schemes)}:// are mixed; choose one for all servers")


def uses_start_tls(access: LdapAccess) -> bool:
    """Tell whether the connection begins in the clear and is then encrypted."""
    return urlsplit(access.servers[0]).scheme == "ldap" and not is_plain(access)


def is_plain(access: LdapAccess) -> bool:
    """Tell whether there is no TLS on ``ldap://``, as may be on the host itself."""
    return access.start_tls is False


def server(url: str, ca_file: str, plain: bool, section: str = "login") -> Server:
    """Tell how a directory's server is reached, and how it proves who it is.

    :param ca_file: on the relay
    :param plain: whether there is no TLS on ``ldap://``
    :param section: that names it
    """
    parts = urlsplit(url)
    if parts.scheme == "ldapi":
        socket = unquote(parts.netloc) or LDAPI
        return Server(url, "", 0, ca_file, plain=True, socket=socket, section=section)
    secure = parts.scheme == "ldaps"
    port = parts.port or (636 if secure else 389)
    start_tls = "" if secure else "ldap"
    return Server(url, parts.hostname or "", port, ca_file, start_tls, plain and not secure, section=section)


def crosses_a_network(url: str) -> bool:
    """Tell whether what is sent in the clear to a server leaves the host."""
    parts = urlsplit(url)
    if parts.scheme != "ldap":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"  # which is never looked up elsewhere (RFC 6761 6.3)
