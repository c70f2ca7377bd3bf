"""The link to an LDAP directory, where whoever checks passwords asks, and need know no server and no code."""

from functools import partial
from typing import Protocol

from tasks.host.templates import program, render
from tasks.login.command_line import command_line
from tasks.part import Daemon, Directory, File, Part, Rights, merge
from tasks.servers import ldap_access, trust
from tasks.servers.ldap_access import LdapAccess

PROGRAM = "/usr/local/lib/quietrelay/ldap_link.py"
UNIT = "/etc/systemd/system/quietrelay-ldap.service"
DIRECTORY = "/run/quietrelay-ldap/directory"
POSTFIX = "/run/quietrelay-ldap/postfix"
URI = f"ldapi://{DIRECTORY.replace('/', '%2F')}"  # where the directory is, to who asks by the link

# Who reaches the socket asks the directory as anybody might; the relay's own password is not in it.
MADE = (
    Rights("/run/quietrelay-ldap", "sasl", "710"),
    Rights(DIRECTORY, "sasl", "660"),
    Rights(POSTFIX, "sasl", "660"),
)
REACHED = 3  # seconds to reach a server, as the program has it


class Linked(LdapAccess, Protocol):
    """A section that says how the directory is reached, and how long it may take to answer."""

    @property
    def ca_file(self) -> str | None: ...
    @property
    def timeout(self) -> int: ...


def part(login: Linked, ca: str) -> Part:
    """Have the link lead to the directory (`onhost/ldap_link.py`).

    :param ca: where its CA is put, if one is given
    """
    own = Part(
        packages=("ldap-utils", "python3"),  # the former for the doctor
        servers=tuple(
            ldap_access.server(url, trust.path(login.ca_file, ca), ldap_access.is_plain(login))
            for url in login.servers
        ),
        directories={"/usr/local/lib/quietrelay": Directory()},
        files={
            PROGRAM: File(
                partial(program, "ldap_link.py"), title=f"Put the link to the directory in {PROGRAM}"
            ),
            UNIT: File(
                partial(
                    render,
                    "login/ldap_link.service",
                    program=PROGRAM,
                    arguments=command_line(arguments(login, ca)),
                )
            ),
        },
        daemons=(
            Daemon(
                "quietrelay-ldap",
                UNIT,
                "/run/quietrelay-ldap/pid",
                (PROGRAM, trust.path(login.ca_file, ca)),
                MADE,
            ),
        ),
    )
    return merge(Part(files=trust.files("login.ca_file", login.ca_file, ca, "directory")), own)


def arguments(login: Linked, ca: str) -> dict[str, object]:
    """Tell the link where the directory is, and whose binds are the relay's own."""
    return {
        "ca": trust.path(login.ca_file, ca),
        "own": login.bind_dn,
        "answered": login.timeout,
        "plain": ldap_access.is_plain(login),
        "server": login.servers,
    }


def patience(login: Linked) -> int:
    """Tell how long whoever asks has to wait, in seconds: the link says so when there is no answer."""
    return REACHED + login.timeout + 1
