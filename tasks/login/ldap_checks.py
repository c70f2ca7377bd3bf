"""What a login needs of an LDAP directory, seen from the relay by OpenLDAP's own tools. Pure; no host."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlsplit

from tasks.part.check import Account, Check, Result, exits_well, first_line
from tasks.servers import checks as server_checks
from tasks.servers import ldap_access
from tasks.servers.checks import PATIENCE


@dataclass(frozen=True)
class Directory:
    """How a directory is asked on a host."""

    servers: Sequence[str]
    ca_file: str
    """The CAs that it is checked against, on the host."""
    bind_dn: str | None
    password: str
    """Shell command that prints the password of `bind_dn` from where it lies on the host."""
    search_base: str
    scope: str
    finds: str
    """Filter by which a login is searched; or its entry's DN, where none is."""
    plain: bool = False
    """Whether there is no TLS on ``ldap://``."""
    binds_as_user: bool = True
    """Whether the directory checks the password, and not somebody who reads it there."""

    @property
    def searches(self) -> bool:
        """Whether an entry is searched, and not known by its DN."""
        return self.finds.startswith("(")


def checks(directory: Directory, account: Account | None) -> Iterator[Check]:
    """Walk up to each server: it answers, proves who it is, lets the relay search, and finds the user."""
    for url in directory.servers:
        server = ldap_access.server(url, directory.ca_file, directory.plain)
        yield from server_checks.checks(server)
        needs = [server.proves]
        if directory.searches:
            searches = f"{url} lets {directory.bind_dn or 'everybody'} in to search"
            yield Check(searches, _as_relay("ldapwhoami", directory, url), judge_bind, needs)
            needs = [searches]
        if account and directory.searches:
            finds = _finds(url, account)
            script = _search(directory, url, account.login)
            yield Check(finds, script, judge_search(filter_for(directory.finds, account.login)), needs)
            needs = [finds]
        if account and directory.binds_as_user:
            yield Check(
                _takes(url, account),
                f"{_dn(directory, url, account.login)}\n{_as_user(directory, url)}",
                exits_well("the password is wrong, or the entry is locked"),
                needs,
                secret=account.password,
            )


def last_checks(directory: Directory, account: Account | None) -> list[str]:
    """Name what others' answers rest on: the only server's last check; of several one may be down."""
    if len(directory.servers) > 1 or not account:
        return []
    last = _takes if directory.binds_as_user else _finds
    return [last(directory.servers[0], account)]


def _finds(url: str, account: Account) -> str:
    return f"{url} finds exactly one entry for {account.login}"


def _takes(url: str, account: Account) -> str:
    return f"{url} takes {account.login}'s password"


def _begin(tool: str, directory: Directory, url: str) -> str:
    """Begin a command that asks over TLS wherever a network is between (ldapsearch(1), ldap.conf(5))."""
    tls = f"LDAPTLS_CACERT={quote(directory.ca_file)} LDAPTLS_REQCERT=demand"
    start_tls = " -ZZ" if urlsplit(url).scheme == "ldap" and not directory.plain else ""
    return f"{tls} timeout {2 * PATIENCE} {tool} -x -H {quote(url)} -o nettimeout={PATIENCE}{start_tls}"


def _as_relay(tool: str, directory: Directory, url: str) -> str:
    # The password goes from file to program inside the host, and stands in no argument.
    bind = f" -D {quote(directory.bind_dn)} -y <({directory.password})" if directory.bind_dn else ""
    return f"{_begin(tool, directory, url)}{bind}"


def _search(directory: Directory, url: str, name: str) -> str:
    base, wanted = in_place(directory.search_base, name), filter_for(directory.finds, name)
    tool = _as_relay("ldapsearch", directory, url)
    return f"{tool} -LLL -o ldif-wrap=no -b {quote(base)} -s {directory.scope} {quote(wanted)} 1.1"


def _dn(directory: Directory, url: str, name: str) -> str:
    """Find the user's entry, or build its DN."""
    if not directory.searches:
        return f"dn={quote(in_place(directory.finds, name))}"
    # A name that is not ASCII comes in base64, after two colons (ldif(5)).
    return (
        f"found=$({_search(directory, url, name)} | sed -n '/^dn:/p')\n"
        'case "$found" in dn::*) dn=$(echo "${found#dn:: }" | base64 -d);; *) dn=${found#dn: };; esac'
    )


def _as_user(directory: Directory, url: str) -> str:
    return f"""{_begin("ldapwhoami", directory, url)} -D "$dn" -y <(base64 -d) >/dev/null"""


def in_place(text: str, name: str, escape: Callable[[str], str] = str) -> str:
    """Put a login in the place of what stands for it (LDAP_SASLAUTHD in sasl2-bin)."""
    user, _, domain = name.partition("@")
    parts = {"u": name, "U": user, "d": domain, "r": domain, "%": "%"}
    return re.sub(r"%([uUdr%])", lambda match: escape(parts[match[1]]), text)


def filter_for(text: str, name: str) -> str:
    """Write the filter by which a login is searched (RFC 4515 3)."""

    def escaped(part: str) -> str:
        return re.sub(r"[\\*()\0]", lambda match: f"\\{ord(match[0]):02x}", part)

    return in_place(text, name, escaped)


def judge_bind(result: Result) -> str:
    """Tell why the relay itself is not let in."""
    if "Invalid credentials" in result.output:
        return "wrong name or password; correct login.bind_dn or login.bind_password_file, and deploy"
    if "not found" in result.output:
        return f"{first_line(result.output)}; deploy first, which installs ldap-utils"
    return exits_well("see login.bind_dn and the directory's access rules")(result)


def judge_search(wanted: str) -> Callable[[Result], str]:
    """Tell whether a search found one entry, and which it found where there are more."""

    def judge(result: Result) -> str:
        if "No such object" in result.output:
            return "login.search_base is not there, or hidden from the relay; correct it or the access rules"
        entries = re.findall(r"^dn::? (.*)", result.output, re.MULTILINE)
        if len(entries) > 1:
            return f"{wanted} finds {len(entries)}: {'; '.join(entries[:3])}; let one of them be found"
        if result.succeeded and not entries:
            return f"{wanted} finds nobody; add the user, or correct login.filter or login.search_base"
        return exits_well("see the directory's log")(result)

    return judge
