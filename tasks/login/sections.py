"""How users may log in: a section for each backend, of which an inventory names one."""

import re
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Domain, ImapsUrl, LdapUrl, Line, MainCfValue, OperatorPath
from tasks.servers import ldap_access

Workers = Annotated[int, Field(ge=1, le=100), Becomes("saslauthd -n")]
CacheSeconds = Annotated[int, Field(ge=0, le=300), Becomes("saslauthd -c -t")]

# How a login finds its entry, where the inventory does not say. %u is the whole login, so it matches exactly.
FILTERS = {"user": "(uid=%u)", "address": "(mail=%u)", "both": "(|(uid=%u)(mail=%u))"}
# What stands for a login's domain (LDAP_SASLAUTHD in sasl2-bin), of which a user name has none.
DOMAIN_TOKEN = re.compile(r"%[rRd1-9]")
# Of the 10 seconds in which a login is answered, a directory may take these; up to three go to reach it.
Timeout = Annotated[int, Field(ge=1, le=8), Becomes("link to the directory")]


class Submission(Section):
    """How users hand in mail."""

    auth_on_25: Annotated[bool, Becomes("smtpd_sasl_auth_enable (smtp)")] = True
    """Let users log in on port 25 after STARTTLS as well as on 465 and 587."""

    broken_sasl_auth_clients: Annotated[bool, Becomes("broken_sasl_auth_clients")] = False
    """Announce `AUTH=PLAIN LOGIN` too, for mail programs older than RFC 2554."""

    local_domain: Annotated[MainCfValue, Becomes("smtpd_sasl_local_domain")] = ""
    """Domain that is added to a login without one; empty adds none."""

    insecure_tls_port: Annotated[int | None, Field(ge=1, le=65535), Becomes("master.cf")] = None
    """A further port, with STARTTLS as on 587, for devices that know no TLS newer than 1.0, which others can
    break: their passwords and mail are safe in no network that is not yours. No firewall is opened for it."""

    @field_validator("insecure_tls_port")
    @classmethod
    def _is_a_port_of_its_own(cls, port: int | None) -> int | None:
        if port in (25, 465, 587, 10587):
            raise ValueError(f"{port} is one of the relay's own ports; take another one, 2525 say")
        return port


class SaslauthdLdap(Section):
    """Users log in with the password that an LDAP directory holds, asked by saslauthd."""

    servers: Annotated[tuple[LdapUrl, ...], Becomes("link to the directory")]
    """The directory's servers, asked in this order: the first that answers. On the relay itself also
    `ldapi:///`."""

    search_base: Annotated[Line, Becomes("ldap_search_base")]
    """Where users are searched; `%r` in it is the domain of the address that logs in."""

    names: Annotated[Literal["user", "address", "both"], Becomes("ldap_filter")] = "user"
    """What users log in as, and nothing else: `user` name (`uid`), mail `address` (`mail`), or `both`."""

    domains: Annotated[tuple[Domain, ...], Becomes("gate")] = ()
    """Domains of the addresses that are accepted; by default those that the directory's addresses have."""

    filter: Annotated[Line | None, Becomes("ldap_filter")] = None
    """How a login finds its entry, by default as `names` says: `%u` is the login as given, `%U` and `%r` are
    its parts before and after @. For `fastbind` it is the entry's DN, by default `uid=%U,SEARCH_BASE`."""

    scope: Annotated[Literal["sub", "one", "base"], Becomes("ldap_scope")] = "sub"
    """How deep below the search base."""

    auth_method: Annotated[Literal["bind", "fastbind", "custom"], Becomes("ldap_auth_method")] = "bind"
    """Who checks the password: `bind`, the directory, after a search; `fastbind`, the directory, without one;
    `custom`, saslauthd, with the `userPassword` that `bind_dn` may read."""

    start_tls: Annotated[bool | None, Becomes("link to the directory")] = None
    """STARTTLS on `ldap://`; by default on there, and off on `ldaps://`, which has TLS from the start.
    `False` is for a server on the relay itself (`ldap://127.0.0.1`, `ldap://[::1]`)."""

    ca_file: Annotated[OperatorPath | None, Becomes("link to the directory")] = None
    """File on your machine with the CA of the directory's certificate; by default the CAs of Debian."""

    bind_dn: Annotated[Line | None, Becomes("ldap_bind_dn")] = None
    """Entry that the search is made as; by default it is anonymous."""

    bind_password_file: Annotated[OperatorPath | None, Becomes("ldap_password")] = None
    """File on your machine whose first line is the password of `bind_dn`."""

    timeout: Timeout = 3
    """Seconds that the directory may take to answer: more where a second factor takes its time. Each of
    `workers` waits so long, so have as many as there may be logins in that time."""

    workers: Workers = 5
    """Processes that check passwords side by side."""

    cache_seconds: CacheSeconds = 0
    """Seconds at most for which a password that was right is taken again, though it may have been changed; 0
    asks every time."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        ldap_access.agree(self)
        ldap_access.of_one_kind(self)
        return self

    @model_validator(mode="after")
    def _has_what_its_method_needs(self) -> Self:
        is_search = self.finds.startswith("(")
        if self.auth_method == "custom" and self.bind_dn is None:
            raise ValueError(
                "auth_method 'custom' reads passwords as bind_dn; give that, and bind_password_file"
            )
        if self.auth_method == "fastbind":
            if idle := [name for name in ("bind_dn", "scope") if name in self.model_fields_set]:
                raise ValueError(f"auth_method 'fastbind' searches nothing; drop {' and '.join(idle)}")
            if is_search:
                raise ValueError(
                    "filter: for auth_method 'fastbind' it is the DN of an entry; write one like "
                    "uid=%u,ou=People,dc=example,dc=org"
                )
        elif not is_search:
            raise ValueError(f"filter {self.finds!r} is no search filter; write one like (uid=%u)")
        return self

    @model_validator(mode="after")
    def _accepts_certain_names(self) -> Self:
        if not re.search(r"%[uU]", self.finds):
            raise ValueError("filter has no %u or %U, so every login would find the same entry; add one")
        if self.names == "user" and self.domains:
            raise ValueError("domains are those of addresses; add names='address' or 'both', or drop them")
        # Parts of a DN: where the domain lacks, it is another DN, or none.
        parts = self.finds if self.auth_method == "fastbind" else self.search_base
        if self.names != "address" and DOMAIN_TOKEN.search(parts):
            raise ValueError("%r is empty for a user name, and then there is no such DN; add names='address'")
        any_domain = "%u" not in self.finds or "%" in self.search_base or self.auth_method == "fastbind"
        if self.names != "user" and any_domain and not self.domains:
            raise ValueError("domains is missing: any domain would do, so name those that are served")
        return self

    @property
    def finds(self) -> str:
        """How a login finds its entry: a search filter, or for `fastbind` the entry's DN."""
        if self.filter is not None:
            return self.filter
        return f"uid=%U,{self.search_base}" if self.auth_method == "fastbind" else FILTERS[self.names]

    def accepts(self, domain: str) -> bool:
        """Tell whether addresses below a domain may log in."""
        return self.names != "user" and (not self.domains or domain.lower() in self.domains)

    @property
    def uses_start_tls(self) -> bool:
        """Whether the connection to the directory begins in the clear and is then encrypted."""
        return ldap_access.uses_start_tls(self)


class SaslauthdPam(Section):
    """Users are accounts of the host, or whoever else its PAM modules know, asked by saslauthd."""

    auth: Annotated[tuple[Line, ...], Becomes("/etc/pam.d/smtp")] = ("required pam_unix.so",)
    """What checks a password: control and module with its arguments (pam.d(5)), in this order."""

    account: Annotated[tuple[Line, ...], Becomes("/etc/pam.d/smtp")] = ("required pam_unix.so",)
    """What checks that an account may log in (it may be locked or expired), in this order."""

    workers: Workers = 5
    """Processes that check passwords side by side."""

    cache_seconds: CacheSeconds = 0
    """Seconds at most for which a password that was right is taken again, though it may have been changed; 0
    asks every time."""

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if not self.auth or not self.account:
            raise ValueError("auth and account each need a module; without one PAM asks /etc/pam.d/other")
        return self


class SaslauthdRimap(Section):
    """Users log in with the password that an IMAP server takes, asked by saslauthd."""

    server: Annotated[ImapsUrl, Becomes("saslauthd -O")]
    """The IMAP server, which has TLS from the start."""

    ca_file: Annotated[OperatorPath | None, Becomes("gate")] = None
    """File on your machine with the CA of the server's certificate; by default the CAs of Debian."""

    workers: Workers = 5
    """Processes that check passwords side by side."""

    cache_seconds: CacheSeconds = 0
    """Seconds at most for which a password that was right is taken again, though it may have been changed; 0
    asks every time."""

    @property
    def host_and_port(self) -> str:
        """Where the server is: ``imap.example.org:993``, ``[2001:db8::1]:993``."""
        parts = urlsplit(self.server)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{name}:{parts.port or 993}"


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
    """The directory's servers, asked in this order: the first that answers. On the relay itself also
    `ldapi:///`."""

    search_base: Annotated[Line, Becomes("ldap_base")]
    """Where users are searched."""

    filter: Annotated[Line, Becomes("ldap_filter")] = "(uid=%u)"
    """How a login finds its entry: `%u` is the login as given, `%U` and `%d` its parts before and after @."""

    scope: Annotated[Literal["sub", "one", "base"], Becomes("ldap_scope")] = "sub"
    """How deep below the search base."""

    start_tls: Annotated[bool | None, Becomes("link to the directory")] = None
    """STARTTLS on `ldap://`; by default on there. `False` is for a server on the relay itself
    (`ldap://127.0.0.1`, `ldap://[::1]`): nothing crosses a network."""

    ca_file: Annotated[OperatorPath | None, Becomes("link to the directory")] = None
    """File on your machine with the CA of the directory's certificate; by default the CAs of Debian."""

    bind_dn: Annotated[Line | None, Becomes("ldap_auth_dn")] = None
    """Entry that the search is made as; by default it is anonymous."""

    bind_password_file: Annotated[OperatorPath | None, Becomes("ldap_auth_dn_password")] = None
    """File on your machine whose first line is the password of `bind_dn`."""

    timeout: Timeout = 3
    """Seconds that the directory may take to answer: more where a second factor takes its time."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        ldap_access.agree(self)
        if not re.search(r"%[uU]", self.filter):
            raise ValueError("filter has no %u or %U, so every login would find the same entry; add one")
        if re.search(r"%(?![uUd])", self.filter):
            raise ValueError("filter: after % stands u, U or d; write \\25 for the sign itself (RFC 4515)")
        if "%" in self.search_base:
            raise ValueError("search_base: it is the same for all logins; write \\25 for % (RFC 4514)")
        return self


S = TypeVar("S", bound=Section)


def _with_mechanisms(section: S, mechanisms: tuple[str, ...]) -> S:
    if not mechanisms or len(set(mechanisms)) < len(mechanisms):
        raise ValueError("mechanisms: name at least one, and none twice")
    return section


Login = SaslauthdLdap | SaslauthdPam | SaslauthdRimap | Sasldb | DovecotPasswdFile | DovecotLdap
