"""What an inventory may say: typed sections, checked where they are written.

An inventory names sections as data of a host or a group: ``relay``, ``login``, ``certificate`` and so on.
A wrong name or value is a `SettingsError` while the inventory is read, before any host is contacted.
Secrets are never settings: a setting names the file on the operator's machine that holds one.
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pyinfra.api import Host

from tasks.inventory.section import Becomes, Section, SettingsError, describe
from tasks.inventory.source import inventory_file
from tasks.inventory.values import (
    Days,
    Domain,
    Fqdn,
    HeaderName,
    HostPath,
    Line,
    MainCfValue,
    OperatorPath,
    fqdn,
)
from tasks.login.sections import DovecotLdap as DovecotLdap
from tasks.login.sections import DovecotPasswdFile as DovecotPasswdFile
from tasks.login.sections import Login
from tasks.login.sections import SaslauthdLdap as SaslauthdLdap
from tasks.login.sections import SaslauthdPam as SaslauthdPam
from tasks.login.sections import SaslauthdRimap as SaslauthdRimap
from tasks.login.sections import Sasldb as Sasldb
from tasks.privacy import rules as privacy_rules
from tasks.privacy import telltale_headers
from tasks.senders.sections import AnySender, Senders, SendersFromDirectory
from tasks.senders.sections import SendersByLogin as SendersByLogin
from tasks.senders.sections import SendersFromFile as SendersFromFile


class Relay(Section):
    """The relay itself."""

    hostname: Annotated[Fqdn | None, Becomes("myhostname")] = None
    """Fully qualified name by which the relay greets; by default the host's name in the inventory."""

    replace_mail_server: Annotated[bool, Becomes("packages")] = False
    """Remove another mail server's packages (exim4, say) instead of refusing the host."""


class Submission(Section):
    """How users hand in mail."""

    auth_on_25: Annotated[bool, Becomes("smtpd_sasl_auth_enable (smtp)")] = True
    """Let users log in on port 25 after STARTTLS as well as on 465 and 587."""

    broken_sasl_auth_clients: Annotated[bool, Becomes("broken_sasl_auth_clients")] = False
    """Announce `AUTH=PLAIN LOGIN` too, for mail programs older than RFC 2554."""

    local_domain: Annotated[MainCfValue, Becomes("smtpd_sasl_local_domain")] = ""
    """Domain that is added to a login without one; empty adds none."""


class CertificateFiles(Section):
    """Certificate and key from files on the operator's machine."""

    certificate: Annotated[OperatorPath, Becomes("smtpd_tls_chain_files")]
    """PEM file on your machine: the relay's certificate, and the chain too if it is in the same file."""

    key: Annotated[OperatorPath, Becomes("smtpd_tls_chain_files")]
    """PEM file on your machine: the certificate's key, not encrypted."""

    chain: Annotated[OperatorPath | None, Becomes("smtpd_tls_chain_files")] = None
    """PEM file on your machine: intermediate certificates."""


class CertificateOnHost(Section):
    """Certificate and key that something else keeps on the host, certbot say."""

    certificate: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: certificate and chain (`fullchain.pem`)."""

    key: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: the key (`privkey.pem`)."""


class OwnCa(Section):
    """A certificate that a small CA on the host itself issues; clients must be told to trust that CA."""

    days: Annotated[int, Field(ge=2, le=366), Becomes("openssl x509 -days")] = 365
    """Days for which a certificate is issued; a run in its last 30 days (or last third) issues a new one."""


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
        Literal["none", "may", "encrypt", "dane", "verify", "secure"], Becomes("smtp_tls_security_level")
    ] = "may"
    """`may` encrypts wherever the other side can, and delivers all the same where it cannot."""

    ca_file: Annotated[HostPath, Becomes("smtp_tls_CAfile")] = "/etc/ssl/certs/ca-certificates.crt"
    """Path on the host: CAs that other servers' certificates are checked against."""

    log_level: Annotated[int, Field(ge=0, le=4), Becomes("smtp_tls_loglevel")] = 1
    """1 logs a line a connection; 2 and more are for hunting errors."""

    session_cache: Annotated[bool, Becomes("smtp_tls_session_cache_database")] = True
    """Keep TLS sessions between deliveries to the same server."""

    policy: Annotated[dict[Line, Line], Becomes("smtp_tls_policy_maps")] = Field(default_factory=dict)
    """Destination to policy, for those that need another one: `{"example.com": "secure"}`."""


class Firewall(Section):
    """The host's own packet filter."""

    open_ports: Annotated[bool, Becomes("nftables or ufw rules")] = True
    """Let 25, 465 and 587 in where nftables or ufw runs; where neither does, nothing is installed."""


class Privacy(Section):
    """What leaves with users' mail."""

    trace: Annotated[Literal["anonymous", "classic"], Becomes("header_checks")] = "anonymous"
    """The relay's own trace header: `anonymous`, or `classic`, with the login, and then not on port 25."""

    dropped_headers: Annotated[tuple[HeaderName, ...], Becomes("header_checks")] = telltale_headers.NAMES
    """Headers that users' software may have written and that go; `*` at the end stands for any rest."""

    private_domains: Annotated[tuple[Domain, ...], Becomes("header_checks")] = privacy_rules.PRIVATE_DOMAINS
    """Message ids made below these get the relay's name, as do ids made at an address or a bare name."""


class Logs(Section):
    """Postfix's log, in which the clients' addresses are."""

    keep_days: Annotated[Days | None, Becomes("maillog_file")] = None
    """Days for which it is kept, in a file of its own; by default it goes to the system's log, which keeps it
    as long as it does."""


Certificate = CertificateFiles | CertificateOnHost | OwnCa


class Settings(BaseModel):
    """All that the inventory says of one relay."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    relay: Relay = Relay()
    submission: Submission = Submission()
    login: Login
    senders: Senders = AnySender()
    certificate: Certificate = OwnCa()
    server_tls: ServerTls = ServerTls()
    client_tls: ClientTls = ClientTls()
    privacy: Privacy = Privacy()
    logs: Logs = Logs()
    firewall: Firewall = Firewall()

    @model_validator(mode="after")
    def _keeps_logins_where_they_are_known(self) -> Self:
        # On 25 a user's mail is handed to a second smtpd, which did not see the login.
        if self.privacy.trace == "classic" and self.submission.auth_on_25:
            raise ValueError(
                "privacy.trace 'classic' cannot be had on port 25; add Submission(auth_on_25=False)"
            )
        return self

    @model_validator(mode="after")
    def _adds_a_domain_that_is_served(self) -> Self:
        domain = self.submission.local_domain
        if domain and isinstance(self.login, SaslauthdLdap) and not self.login.accepts(domain):
            raise ValueError(
                f"submission.local_domain makes addresses of {domain}, and login accepts none; "
                "drop it, or let SaslauthdLdap have it in domains, with names='address' or 'both'"
            )
        return self

    @model_validator(mode="after")
    def _knows_the_senders_directory(self) -> Self:
        senders = self.senders
        if not isinstance(senders, SendersFromDirectory) or senders.servers:
            return self
        if not isinstance(self.login, SaslauthdLdap):
            raise ValueError(
                f"senders: the login, {type(self.login).__name__}, names no directory; "
                "name one in SendersFromDirectory(servers=..., search_base=...)"
            )
        if senders.search_base is None and "%" in self.login.search_base:
            raise ValueError(
                "senders: login.search_base depends on the login, which an address does not tell; "
                "name SendersFromDirectory(search_base=...), with %d for the address's domain"
            )
        return self

    @field_validator("*", mode="before")
    @classmethod
    def _is_a_section(cls, value: object, info: ValidationInfo) -> object:
        """Let nothing but sections in: one written as a mere dict could not tell where it stands."""
        wanted = cls.model_fields[str(info.field_name)].annotation
        sections = get_args(wanted) or (wanted,)
        if not isinstance(value, sections):
            raise ValueError(f"must be {' or '.join(f'{section.__name__}(...)' for section in sections)}")
        return value

    @property
    def hostname(self) -> str:
        """The relay's fully qualified name."""
        assert self.relay.hostname is not None
        return self.relay.hostname


def of(host: Host) -> Settings:
    """Collect a host's sections from its inventory data.

    :raises SettingsError: for an unknown, missing or misplaced section, or a host without a proper name.
    """
    where = f"{inventory_file()} ({host.name})"
    connector_keys = host.connector_cls.data_cls.__annotations__
    sections = {
        key: value
        for key, value in host.data.dict().items()  # type: ignore[no-untyped-call]
        if not key.startswith("_") and key not in connector_keys
    }
    try:
        settings = Settings(**sections)
        if settings.relay.hostname is None:
            relay = settings.relay.model_copy(update={"hostname": fqdn(host.name)})
            settings = settings.model_copy(update={"relay": relay})
    except ValidationError as error:
        raise SettingsError(f"{where}: {describe(Settings, error)}") from None
    except ValueError as error:
        raise SettingsError(f"{where}: relay.hostname: {error}, or set it in Relay(hostname=...)") from None
    return settings
