"""Who may send as whom: a section for each way to know, of which an inventory names one.

The envelope's sender (MAIL FROM, RFC 5321 4.1.1.2) is compared with the login as the user gave it, be that
`alice` or `alice@example.org`.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Attribute, Fqdn, LdapUrl, Line, OperatorPath
from tasks.servers import ldap_access


class AnySender(Section):
    """Whoever is logged in may send as anybody."""


class SendersByLogin(Section):
    """Users send from the address that their login says, and from its subaddresses."""

    domains: Annotated[tuple[Fqdn, ...], Field(min_length=1), Becomes("smtpd_sender_login_maps")]
    """`alice` sends as alice@ each of these; who logs in as `alice@example.org` sends as that alone."""


class SendersFromFile(Section):
    """A file of the operator's says which addresses are whose."""

    file: Annotated[OperatorPath, Becomes("smtpd_sender_login_maps")]
    """File on your machine, a line each: an address, or `@domain` for the rest of it, and its logins."""


class SendersFromDirectory(Section):
    """Users send from the addresses that an LDAP directory has for them."""

    filter: Annotated[Line, Becomes("query_filter")] = "(mail=%s)"
    """How an address finds its owners: `%s` is the address, `%u` and `%d` its parts (ldap_table(5))."""

    login_attributes: Annotated[tuple[Attribute, ...], Field(min_length=1), Becomes("result_attribute")] = (
        "uid",
    )
    """Attributes of the owners' entries with the names under which they log in; `mail` for addresses."""

    servers: Annotated[tuple[LdapUrl, ...], Becomes("server_host")] = ()
    """The directory's servers, asked in this order; by default all is as `login` reaches its directory."""

    search_base: Annotated[Line | None, Becomes("search_base")] = None
    """Where addresses are searched, `%d` being an address's domain; by default as in `login`."""

    scope: Annotated[Literal["sub", "one", "base"], Becomes("scope")] = "sub"
    """How deep below the search base."""

    start_tls: Annotated[bool | None, Becomes("start_tls")] = None
    """STARTTLS on `ldap://`, as for `login`; beside `servers` only."""

    ca_file: Annotated[OperatorPath | None, Becomes("tls_ca_cert_file")] = None
    """File on your machine with the CA of these servers' certificates; beside `servers` only."""

    bind_dn: Annotated[Line | None, Becomes("bind_dn")] = None
    """Entry that the search is made as; beside `servers` only."""

    bind_password_file: Annotated[OperatorPath | None, Becomes("bind_pw")] = None
    """File on your machine whose first line is the password of `bind_dn`."""

    timeout: Annotated[int, Field(ge=1, le=300), Becomes("timeout")] = 5
    """Seconds until a silent server counts as down."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if not re.search(r"%[su]", self.filter):
            raise ValueError("filter has no %s or %u, so every address would have the same owners; add one")
        for name, text in {"filter": self.filter, "search_base": self.search_base or ""}.items():
            if re.search(r"%(?![sud1-9])", text.replace("%%", "")):
                raise ValueError(f"{name}: % stands before s, u, d or a digit, or twice; see ldap_table(5)")
        if self.servers:
            ldap_access.agree(self)
            ldap_access.of_one_kind(self)
            if not self.search_base:
                raise ValueError("search_base is missing beside servers; say where addresses are searched")
        elif alone := [
            name for name in ("start_tls", "ca_file", "bind_dn", "bind_password_file") if getattr(self, name)
        ]:
            raise ValueError(f"{', '.join(alone)}: of no use without servers; add these, or drop it")
        return self

    @property
    def uses_start_tls(self) -> bool:
        """Whether the connection to the directory begins in the clear and is then encrypted."""
        return ldap_access.uses_start_tls(self)


Senders = AnySender | SendersByLogin | SendersFromFile | SendersFromDirectory
