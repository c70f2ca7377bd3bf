"""Ownership: who may send as whom, once logged in.

Postfix looks the envelope's sender up, finds the logins that own it, and turns all others down (postconf(5),
smtpd_sender_login_maps). A table that cannot be asked, a directory that is down say, defers: 451. The null
sender is everybody's, for notifications are sent with it (RFC 8098 3). Strangers on port 25 are not asked:
what others forward comes in under the sender that it had.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from pydantic import SecretStr

from tasks.host.templates import render
from tasks.inventory.operator_files import OperatorFileError, read, read_secret
from tasks.part import File, Part
from tasks.postfix.configuration import Configuration
from tasks.senders.sections import (
    AnySender,
    Senders,
    SendersByLogin,
    SendersFromDirectory,
    SendersFromFile,
)
from tasks.senders.tables import by_login_table, file_table, parse
from tasks.servers import ldap_access, trust
from tasks.servers.ldap_access import SearchedDirectory

FILE = "/etc/postfix/senders"
DIRECTORY = "/etc/postfix/senders.ldap"
DIRECTORY_CA = "/etc/postfix/senders.ca.pem"
OURS = "$quietrelay_senders"

# Who may relay on the ports for users, and on 25: an address is no proof of who somebody is, so there is no
# permit_mynetworks.
USERS = "permit_sasl_authenticated,reject"
RELAYING = "permit_sasl_authenticated, reject_unauth_destination"

# Those who log in send as themselves. Where there is no login yet, or none is offered, Postfix would warn of
# the restriction; on 25 check_sasl_access keeps it from being met then (postconf(5)).
OWNERS = f"reject_sender_login_mismatch,{USERS}"
OWNERS_ON_25 = f"check_sasl_access static:{{reject_sender_login_mismatch}}, {RELAYING}"


def part(senders: Senders, local_domain: str, login: object) -> Part:
    """Let users relay, and nobody else, as the owners of an address where the inventory says whose it is.

    :param local_domain: domain that Postfix adds to a login without one
    :param login: section that reaches a directory, where `senders` names none
    """
    match senders:
        case AnySender():
            return Part(postfix=_relaying(RELAYING, USERS))
        case SendersByLogin():
            return _owned(by_login_table(senders.domains, local_domain), {})
        case SendersFromFile():
            # Not for everybody on the host to read: logins are half of what lets in.
            content = partial(_from_file, senders, local_domain)
            return _owned(f"texthash:{FILE}", {FILE: File(content, mode="600")})
        case SendersFromDirectory():
            key, access = _access(senders, login)
            content = partial(_from_directory, key, senders, access, local_domain)
            files = {
                DIRECTORY: File(content, mode="600"),
                **trust.files(f"{key}.ca_file", access.ca_file, DIRECTORY_CA, "directory"),
            }
            owned = _owned(f"ldap:{DIRECTORY}", files, packages=("postfix-ldap",))
            ca_file, plain = trust.path(access.ca_file, DIRECTORY_CA), ldap_access.is_plain(access)
            asked = tuple(ldap_access.server(url, ca_file, plain, key) for url in access.servers)
            return replace(owned, servers=asked if key == "senders" else ())


def _relaying(on_25: str, for_users: str) -> Configuration:
    return Configuration(
        parameters={"smtpd_relay_restrictions": on_25},
        options={
            "submission/inet": {"smtpd_relay_restrictions": for_users},
            "submissions/inet": {"smtpd_relay_restrictions": for_users},
        },
    )


def _owned(table: str, files: Mapping[str, File], packages: tuple[str, ...] = ()) -> Part:
    """Have Postfix ask a table, in its own words (postconf(5)), whose an address is."""
    relaying = _relaying(OWNERS_ON_25, OWNERS)
    parameters = {"quietrelay_senders": table, "smtpd_sender_login_maps": OURS}
    return Part(
        packages=packages,
        files=files,
        postfix=Configuration({**relaying.parameters, **parameters}, options=relaying.options),
        rereads=tuple(files),
    )


def _from_file(senders: SendersFromFile, local_domain: str) -> SecretStr:
    try:
        owners = parse(read("senders.file", senders.file))
    except ValueError as error:
        raise OperatorFileError("senders.file", f"{senders.file} {error}") from None
    return SecretStr(file_table(owners, local_domain))


def _access(senders: SendersFromDirectory, login: object) -> tuple[str, SearchedDirectory]:
    """Tell which section, by its key and itself, says how the directory is reached."""
    if senders.servers:
        return "senders", senders
    assert isinstance(login, SearchedDirectory)  # or the settings were refused
    return "login", login


def _from_directory(
    key: str, senders: SendersFromDirectory, access: SearchedDirectory, local_domain: str
) -> SecretStr:
    password = read_secret(f"{key}.bind_password_file", access.bind_password_file)
    return SecretStr(directory_table(senders, access, local_domain, password))


def directory_table(
    senders: SendersFromDirectory, access: SearchedDirectory, local_domain: str, bind_password: SecretStr
) -> str:
    """Write how Postfix asks the directory (ldap_table(5))."""
    return render(
        "senders/senders.ldap",
        senders=senders,
        access=access,
        ca_file=trust.path(access.ca_file, DIRECTORY_CA),
        bind_password=bind_password.get_secret_value(),
        search_base=senders.search_base or access.search_base,
        local_domain=local_domain,
    )
