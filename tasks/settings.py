"""What an inventory may say: typed sections, checked where they are written.

An inventory names sections as data of a host or a group: ``relay``, ``login``, ``certificate`` and so on.
A wrong name or value is a `SettingsError` while the inventory is read, before any host is contacted.
Secrets are never settings: a setting names the file on the operator's machine that holds one.
"""

from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator
from pyinfra.api import Host

# Each section is defined by its concern; an inventory imports them all from here.
from tasks.certificates.sections import Acme as Acme
from tasks.certificates.sections import Certificate, OwnCa
from tasks.certificates.sections import CertificateFiles as CertificateFiles
from tasks.certificates.sections import CertificateOnHost as CertificateOnHost
from tasks.firewall.section import Firewall
from tasks.inventory.section import SettingsError, describe
from tasks.inventory.source import SKIPPED, inventory_file
from tasks.inventory.values import fqdn
from tasks.login.sections import DovecotLdap as DovecotLdap
from tasks.login.sections import DovecotPasswdFile as DovecotPasswdFile
from tasks.login.sections import Login, SaslauthdLdap, Submission
from tasks.login.sections import SaslauthdPam as SaslauthdPam
from tasks.login.sections import SaslauthdRimap as SaslauthdRimap
from tasks.login.sections import Sasldb as Sasldb
from tasks.logs.section import Logs
from tasks.privacy.section import Privacy
from tasks.queue.section import Queue
from tasks.senders.sections import AnySender, Senders, SendersFromDirectory
from tasks.senders.sections import SendersByLogin as SendersByLogin
from tasks.senders.sections import SendersFromFile as SendersFromFile
from tasks.smarthost.section import Smarthost
from tasks.smtpd.section import Relay
from tasks.tls.sections import ClientTls, ServerTls


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
    smarthost: Smarthost = Smarthost()
    queue: Queue = Queue()
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

    @property
    def served_names(self) -> tuple[str, ...]:
        """The names by which users reach the relay: its own, or those of the service."""
        return self.relay.service_names or (self.hostname,)


def of(host: Host) -> Settings:
    """Collect a host's sections from its inventory data.

    :raises SettingsError: for an unknown, missing or misplaced section, or a host without a proper name.
    """
    where = f"{inventory_file()} ({host.name})"
    others = {*host.connector_cls.data_cls.__annotations__, SKIPPED}
    sections = {
        key: value
        for key, value in host.data.dict().items()  # type: ignore[no-untyped-call]
        if not key.startswith("_") and key not in others
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
