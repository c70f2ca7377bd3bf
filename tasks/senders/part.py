"""Ownership: who may send as whom, once logged in.

Postfix looks the envelope's sender up, finds the logins that own it, and turns all others down (postconf(5),
smtpd_sender_login_maps). A table that cannot be asked, a directory that is down say, defers: 451. The null
sender is everybody's, for notifications are sent with it (RFC 8098 3). Strangers on port 25 are not asked:
what others forward comes in under the sender that it had.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr
from pyinfra import host

from tasks import settings
from tasks.activation.leftovers import Remains
from tasks.host import templates
from tasks.host.operations import secrets
from tasks.host.step import step
from tasks.inventory import operator_files
from tasks.login.sections import SaslauthdLdap
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import PostfixSays
from tasks.senders.sections import AnySender, SendersByLogin, SendersFromDirectory, SendersFromFile
from tasks.servers import trust
from tasks.settings import Settings

FILE = "/etc/postfix/senders"
DIRECTORY = "/etc/postfix/senders.ldap"
DIRECTORY_CA = "/etc/postfix/senders.ca.pem"
Access = SaslauthdLdap | SendersFromDirectory
OURS = "$quietrelay_senders"

# An address in the operator's file; without a local part it is the whole domain's.
ADDRESS = re.compile(r'[^\s@,"<>]*@[^\s@,"<>]+')


def packages(relay: Settings) -> Sequence[str]:
    """Name what Postfix needs to look owners up."""
    return ["postfix-ldap"] if isinstance(relay.senders, SendersFromDirectory) else []


def check(relay: Settings) -> None:
    """Refuse files of the operator that nobody could send with.

    :raises SettingsError: naming the file and the remedy
    """
    match relay.senders:
        case SendersFromFile() as senders:
            _owners(senders)
        case SendersFromDirectory() as senders:
            key, access = _access(relay, senders)
            trust.check(f"{key}.ca_file", access.ca_file)
            _bind_password(key, access)


@step("Ownership")
def configure() -> Configuration:
    """Put the table of owners on the host, and say where Postfix finds it."""
    relay = settings.of(host)
    match relay.senders:
        case SendersFromFile() as senders:
            text = file_table(_owners(senders), relay.submission.local_domain)
            # Not for everybody on the host to read: logins are half of what lets in.
            secrets.file(name=f"Write {FILE}", path=FILE, content=SecretStr(text))
        case SendersFromDirectory() as senders:
            _write_directory_table(relay, senders)
    found = host.get_fact(PostfixSays)
    return configuration(relay, found["main"].get("smtpd_sender_login_maps") if found else None)


def remains() -> Remains:
    """Tell which tables Postfix does not ask any more."""
    return Remains(sorted({FILE, DIRECTORY, DIRECTORY_CA} - set(reads(settings.of(host)))))


def configuration(relay: Settings, found: str | None) -> Configuration:
    """Say where Postfix finds the owners of an address.

    :param found: smtpd_sender_login_maps as it is; a table of the admin's stays where none is ours
    """
    table = _table(relay)
    if table:
        return Configuration(parameters={"quietrelay_senders": table, "smtpd_sender_login_maps": OURS})
    stale = {"smtpd_sender_login_maps": None} if found == OURS else {}
    return Configuration(parameters={"quietrelay_senders": None, **stale})


def is_asked_for(relay: Settings) -> bool:
    """Tell whether only the owners of an address may send from it."""
    return not isinstance(relay.senders, AnySender)


def reads(relay: Settings) -> Sequence[str]:
    """Name the files that Postfix's smtpd reads for it."""
    match relay.senders:
        case SendersFromFile():
            return [FILE]
        case SendersFromDirectory() as senders:
            return [DIRECTORY, *([DIRECTORY_CA] if _access(relay, senders)[1].ca_file else [])]
        case _:
            return []


def _table(relay: Settings) -> str | None:
    match relay.senders:
        case AnySender():
            return None
        case SendersByLogin() as senders:
            return by_login_table(senders.domains, relay.submission.local_domain)
        case SendersFromFile():
            return f"texthash:{FILE}"
        case SendersFromDirectory():
            return f"ldap:{DIRECTORY}"


def by_login_table(domains: Sequence[str], local_domain: str) -> str:
    """Write the table that derives an address's owners from itself, for main.cf (pcre_table(5)).

    An address is owned by the logins with its local part, and by those without its extension. A local part
    with blanks, commas or quotes is nobody's: it could be read as several logins.
    """
    plain = r'[^\s@,"]'
    # \Q..\E takes the delimiters as they are; the line feed is there for a host that has none.
    # The first delimiter ends the name, and no other is tried after it.
    start = rf"(?>({plain}+?)(?=@|[\Q$recipient_delimiter\E\n]))"
    pattern = rf"^{start}({plain}*+)@({'|'.join(map(re.escape, domains))})$"
    names = ["${1}", "${1}${2}"]
    owners = [*names, *(f"{name}@${{3}}" for name in names)]
    if local_domain:
        owners += [f"{name}@{local_domain}" for name in names]
    text = f"{{/{pattern}/ {', '.join(owners)}}}"
    # What Postfix is not to replace in main.cf, but in the table.
    return f"pcre:{{{text.replace('$', '$$').replace('$$recipient_delimiter', '$recipient_delimiter')}}}"


def file_table(owners: Mapping[str, Sequence[str]], local_domain: str) -> str:
    """Write the table that an operator's file becomes (postmap(1), on texthash)."""
    lines = [f"{address} {', '.join(_as_known(owners[address], local_domain))}" for address in owners]
    return "\n".join(["# Who may send as whom. Written by quietrelay.", *lines]) + "\n"


def _as_known(logins: Sequence[str], local_domain: str) -> Iterator[str]:
    """Name logins as Postfix has them, which adds the local domain to one without a domain."""
    for login in logins:
        yield login if "@" in login or not local_domain else f"{login}@{local_domain}"


def parse(text: str) -> dict[str, list[str]]:
    """Read an operator's file: address to logins.

    :raises ValueError: telling the line and what is wrong with it
    """
    owners: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        address, *logins = re.split(r"[\s,]+", line.strip().rstrip(","))
        if line[0].isspace() or not ADDRESS.fullmatch(address):
            raise ValueError(f"line {number} does not begin with an address; write ADDRESS LOGIN, LOGIN")
        if not logins:
            raise ValueError(f"line {number} names no login; write ADDRESS LOGIN, LOGIN")
        if address.casefold() in owners:
            raise ValueError(f"line {number} names {address} a second time; put all its logins in one line")
        owners[address.casefold()] = logins
    if not owners:
        raise ValueError("names no address, so nobody could send; write ADDRESS LOGIN, LOGIN, a line each")
    return owners


def _owners(senders: SendersFromFile) -> dict[str, list[str]]:
    try:
        return parse(operator_files.read("senders.file", senders.file))
    except ValueError as error:
        raise operator_files.complaint("senders.file", f"{senders.file} {error}") from None


def _access(relay: Settings, senders: SendersFromDirectory) -> tuple[str, Access]:
    """Tell which section, by its key and itself, says how the directory is reached."""
    if senders.servers:
        return "senders", senders
    assert isinstance(relay.login, SaslauthdLdap)  # or the settings were refused
    return "login", relay.login


def _bind_password(key: str, access: Access) -> SecretStr:
    if path := access.bind_password_file:
        return operator_files.read_secret(f"{key}.bind_password_file", path)
    return SecretStr("")


def _write_directory_table(relay: Settings, senders: SendersFromDirectory) -> None:
    key, access = _access(relay, senders)
    trust.put(access.ca_file, DIRECTORY_CA, "directory")
    text = directory_table(relay, senders, access, _bind_password(key, access))
    secrets.file(name=f"Write {DIRECTORY}", path=DIRECTORY, content=SecretStr(text))


def directory_table(
    relay: Settings,
    senders: SendersFromDirectory,
    access: Access,
    bind_password: SecretStr,
) -> str:
    """Write how Postfix asks the directory (ldap_table(5))."""
    values: dict[str, Any] = {
        "senders": senders,
        "access": access,
        "ca_file": trust.path(access.ca_file, DIRECTORY_CA),
        "bind_password": bind_password.get_secret_value(),
        "search_base": senders.search_base or access.search_base,
        "local_domain": relay.submission.local_domain,
    }
    return templates.render("postfix/senders.ldap", **values)
