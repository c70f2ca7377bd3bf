"""A smarthost, as the inventory tells of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Fqdn, Line, OperatorPath


class Smarthost(Section):
    """Another server to which mail for others is handed, instead of the recipients' own."""

    host: Annotated[Fqdn | None, Becomes("default_transport")] = None
    """The server's name; by default there is none, and `relayhost` in main.cf stays the admin's."""

    port: Annotated[int, Field(ge=1, le=65535), Becomes("default_transport")] = 587
    """587, or 465, or what the server's operator says."""

    security: Annotated[Literal["starttls", "tls"] | None, Becomes("smtp_tls_wrappermode (smarthost)")] = None
    """`tls` from the start or after `starttls`; by default the former on 465, and the latter elsewhere."""

    ca_file: Annotated[OperatorPath | None, Becomes("smtp_tls_CAfile (smarthost)")] = None
    """File on your machine with the CA of the server's certificate; by default the CAs of Debian. Without a
    certificate for its name no mail goes there."""

    username: Annotated[Line | None, Becomes("smtp_sasl_password_maps (smarthost)")] = None
    """Name by which the relay logs in there; by default it does not."""

    password_file: Annotated[OperatorPath | None, Becomes("smtp_sasl_password_maps (smarthost)")] = None
    """File on your machine whose first line is the password."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.host is None and self.model_dump(exclude_defaults=True):
            raise ValueError("host is missing; name the server, or drop the section")
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together; give both or neither")
        if self.username and (":" in self.username or self.username != self.username.strip()):
            raise ValueError("username: Postfix takes none with a colon, or with blanks at its ends")
        return self

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS is there before SMTP is (RFC 8314 3.3)."""
        return (self.security or ("tls" if self.port == 465 else "starttls")) == "tls"

    @property
    def nexthop(self) -> str:
        """The server as Postfix writes it, without a look for mail exchangers."""
        return f"[{self.host}]:{self.port}"
