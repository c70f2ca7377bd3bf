"""How users may log in: a section for each way, of which an inventory names one; see `tasks.sasl` too."""

import re
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from tasks.section import Becomes, Section
from tasks.values import LdapUrl, Line, OperatorPath, Seconds


class SaslauthdLdap(Section):
    """Users log in with the password that an LDAP directory holds, asked by saslauthd."""

    servers: Annotated[tuple[LdapUrl, ...], Becomes("ldap_servers")]
    """The directory's servers, asked in this order."""

    search_base: Annotated[Line, Becomes("ldap_search_base")]
    """Where users are searched."""

    filter: Annotated[Line, Becomes("ldap_filter")] = "(uid=%u)"
    """How a login finds its entry: `%u` is the login as given, `%U` and `%d` its parts before and after @."""

    scope: Annotated[Literal["sub", "one", "base"], Becomes("ldap_scope")] = "sub"
    """How deep below the search base."""

    auth_method: Annotated[Literal["bind"], Becomes("ldap_auth_method")] = "bind"
    """`bind`: the directory itself checks the password, as that user."""

    start_tls: Annotated[bool | None, Becomes("ldap_start_tls")] = None
    """STARTTLS on `ldap://`; by default on there, and off on `ldaps://`, which has TLS from the start."""

    ca_file: Annotated[OperatorPath | None, Becomes("ldap_tls_cacert_file")] = None
    """File on your machine with the CA of the directory's certificate; by default the CAs of Debian."""

    bind_dn: Annotated[Line | None, Becomes("ldap_bind_dn")] = None
    """Entry that the search is made as; by default it is anonymous."""

    bind_password_file: Annotated[OperatorPath | None, Becomes("ldap_password")] = None
    """File on your machine whose first line is the password of `bind_dn`."""

    timeout: Annotated[Seconds, Becomes("ldap_timeout")] = 5
    """Seconds until a silent server counts as down."""

    workers: Annotated[int, Field(ge=1, le=100), Becomes("saslauthd -n")] = 5
    """Processes that check passwords side by side."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        schemes = {urlsplit(url).scheme for url in self.servers}
        if not schemes:
            raise ValueError("servers is empty; name at least one directory server")
        if len(schemes) > 1:
            raise ValueError("servers: ldap:// and ldaps:// are mixed; choose one for all servers")
        if self.start_tls and schemes == {"ldaps"}:
            raise ValueError("start_tls contradicts ldaps:// in servers; drop one of them")
        if self.start_tls is False and schemes == {"ldap"}:
            raise ValueError("start_tls=False would send passwords in the clear; use ldaps:// or drop it")
        if (self.bind_dn is None) != (self.bind_password_file is None):
            raise ValueError("bind_dn and bind_password_file belong together; give both or neither")
        if not re.search(r"%[uU]", self.filter):
            raise ValueError("filter has no %u or %U, so every login would find the same entry; add one")
        return self

    @property
    def uses_start_tls(self) -> bool:
        """Whether the connection to the directory begins in the clear and is then encrypted."""
        return urlsplit(self.servers[0]).scheme == "ldap"


class SaslauthdPam(Section):
    """Users are accounts of the host, or whoever else its PAM modules know, asked by saslauthd."""

    auth: Annotated[tuple[Line, ...], Becomes("/etc/pam.d/smtp")] = ("required pam_unix.so",)
    """What checks a password: control and module with its arguments (pam.d(5)), in this order."""

    account: Annotated[tuple[Line, ...], Becomes("/etc/pam.d/smtp")] = ("required pam_unix.so",)
    """What checks that an account may log in (it may be locked or expired), in this order."""

    workers: Annotated[int, Field(ge=1, le=100), Becomes("saslauthd -n")] = 5
    """Processes that check passwords side by side."""

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if not self.auth or not self.account:
            raise ValueError("auth and account each need a module; without one PAM asks /etc/pam.d/other")
        return self


class Sasldb(Section):
    """Users are accounts of the relay alone, which libsasl itself looks up in a database."""

    accounts_file: Annotated[OperatorPath, Becomes("/etc/postfix/sasldb2")]
    """File on your machine with the accounts, a line `NAME:PASSWORD` each."""

    mechanisms: Annotated[
        tuple[Literal["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"], ...], Becomes("mech_list")
    ] = ("PLAIN", "LOGIN")
    """How a mail program may prove its password; by SCRAM the relay is not told it."""

    @model_validator(mode="after")
    def _offers_something(self) -> Self:
        return _with_mechanisms(self, self.mechanisms)


class DovecotPasswdFile(Section):
    """Users are accounts of the relay alone, their passwords kept as hashes, and checked by Dovecot."""

    accounts_file: Annotated[OperatorPath, Becomes("passwd-file")]
    """File on your machine with the accounts, a line `NAME:PASSWORD` or `NAME:{SCRAM-SHA-256}HASH` each."""

    mechanisms: Annotated[
        tuple[Literal["PLAIN", "LOGIN", "SCRAM-SHA-256"], ...], Becomes("auth_mechanisms")
    ] = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
    """How a mail program may prove its password; by SCRAM the relay is not told it."""

    @model_validator(mode="after")
    def _offers_something(self) -> Self:
        return _with_mechanisms(self, self.mechanisms)


class DovecotLdap(Section):
    """Users log in with the password that an LDAP directory holds, asked by Dovecot."""

    servers: Annotated[tuple[LdapUrl, ...], Becomes("link to the directory")]
    """The directory's servers, asked in this order: the first that answers."""

    search_base: Annotated[Line, Becomes("ldap_base")]
    """Where users are searched."""

    filter: Annotated[Line, Becomes("ldap_filter")] = "(uid=%u)"
    """How a login finds its entry: `%u` is the login as given, `%U` and `%d` its parts before and after @."""

    scope: Annotated[Literal["sub", "one", "base"], Becomes("ldap_scope")] = "sub"
    """How deep below the search base."""

    ca_file: Annotated[OperatorPath | None, Becomes("link to the directory")] = None
    """File on your machine with the CA of the directory's certificate; by default the CAs of Debian."""

    bind_dn: Annotated[Line | None, Becomes("ldap_auth_dn")] = None
    """Entry that the search is made as; by default it is anonymous."""

    bind_password_file: Annotated[OperatorPath | None, Becomes("ldap_auth_dn_password")] = None
    """File on your machine whose first line is the password of `bind_dn`."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        schemes = {urlsplit(url).scheme for url in self.servers}
        if not schemes:
            raise ValueError("servers is empty; name at least one directory server")
        if (self.bind_dn is None) != (self.bind_password_file is None):
            raise ValueError("bind_dn and bind_password_file belong together; give both or neither")
        if not re.search(r"%[uU]", self.filter):
            raise ValueError("filter has no %u or %U, so every login would find the same entry; add one")
        if re.search(r"%(?![uUd])", self.filter):
            raise ValueError("filter: after % stands u, U or d; write \\25 for the sign itself (RFC 4515)")
        return self


S = TypeVar("S", bound=Section)


def _with_mechanisms(section: S, mechanisms: tuple[str, ...]) -> S:
    if not mechanisms or len(set(mechanisms)) < len(mechanisms):
        raise ValueError("mechanisms: name at least one, and none twice")
    return section


Login = SaslauthdLdap | SaslauthdPam | Sasldb | DovecotPasswdFile | DovecotLdap
