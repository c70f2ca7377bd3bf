"""What a login needs of an LDAP directory, seen from the relay by OpenLDAP's own tools. Pure; no host."""

import re
from collections.abc import Callable, Iterator
from shlex import quote
from urllib.parse import urlsplit

from tasks import server_layers
from tasks.layer import Account, Heard, Layer, exits_well, first_line
from tasks.logins import SaslauthdLdap
from tasks.server_layers import PATIENCE, Server


def layers(login: SaslauthdLdap, account: Account | None, conf: str, ca_file: str) -> Iterator[Layer]:
    """Walk up to each server: it answers, proves who it is, lets the relay search, and finds the user.

    :param conf: saslauthd's file, in which the password for the search stands; it is read there
    :param ca_file: the CAs that saslauthd trusts
    """
    for url in login.servers:
        server = Server(url, *_end(url), ca_file, "ldap" if login.uses_start_tls else "")
        yield from server_layers.layers(server)
        rests_on, dn = server.proves, ""
        if login.auth_method != "fastbind":  # which searches nothing
            searches = f"{url} lets {login.bind_dn or 'everybody'} in to search"
            yield Layer(searches, _tool("ldapwhoami", login, url, conf, ca_file), judge_bind, [rests_on])
            rests_on = searches
        if account and login.auth_method != "fastbind":
            finds = f"{url} finds exactly one entry for {account.login}"
            script = _search(login, url, conf, ca_file, account.login)
            yield Layer(finds, script, judge_search(filter_for(login.finds, account.login)), [rests_on])
            rests_on, dn = finds, _dn_of(script)
        elif account:
            dn = f"dn={quote(in_place(login.finds, account.login))}"
        if account and login.auth_method != "custom":  # which compares, and binds as nobody
            yield Layer(
                takes(url, account),
                f"{dn}\n{_as_user(login, url, ca_file)}",
                exits_well("the password is wrong, or the entry is locked"),
                [rests_on],
                secret=account.password,
            )


def takes(url: str, account: Account) -> str:
    """Name a server's last layer."""
    return f"{url} takes {account.login}'s password"


def last_layers(login: SaslauthdLdap, account: Account | None) -> list[str]:
    """Name what saslauthd's own answer rests on: the only server's last layer; of several one may be down."""
    if len(login.servers) > 1 or not account or login.auth_method == "custom":
        return []
    return [takes(login.servers[0], account)]


def _tool(tool: str, login: SaslauthdLdap, url: str, conf: str, ca_file: str) -> str:
    """Begin a command that asks the directory as saslauthd does (ldapsearch(1), ldap.conf(5))."""
    # The password goes from file to program inside the host, and stands in no argument.
    password = f"<(sed -n 's/^ldap_password: //p' {quote(conf)} | tr -d '\\n')"
    bind = f" -D {quote(login.bind_dn)} -y {password}" if login.bind_dn else ""
    return f"{_begin(tool, login, url, ca_file)}{bind}"


def _begin(tool: str, login: SaslauthdLdap, url: str, ca_file: str) -> str:
    tls = f"LDAPTLS_CACERT={quote(ca_file)} LDAPTLS_REQCERT=demand"
    start_tls = " -ZZ" if login.uses_start_tls else ""
    return f"{tls} timeout {2 * PATIENCE} {tool} -x -H {quote(url)} -o nettimeout={PATIENCE}{start_tls}"


def _search(login: SaslauthdLdap, url: str, conf: str, ca_file: str, name: str) -> str:
    base, wanted = in_place(login.search_base, name), filter_for(login.finds, name)
    tool = _tool("ldapsearch", login, url, conf, ca_file)
    return f"{tool} -LLL -o ldif-wrap=no -b {quote(base)} -s {login.scope} {quote(wanted)} 1.1"


def _dn_of(search: str) -> str:
    # A name that is not ASCII comes in base64, after two colons (ldif(5)).
    return (
        f"found=$({search} | sed -n '/^dn:/p')\n"
        'case "$found" in dn::*) dn=$(echo "${found#dn:: }" | base64 -d);; *) dn=${found#dn: };; esac'
    )


def _as_user(login: SaslauthdLdap, url: str, ca_file: str) -> str:
    return f"""{_begin("ldapwhoami", login, url, ca_file)} -D "$dn" -y <(base64 -d) >/dev/null"""


def _end(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (636 if parts.scheme == "ldaps" else 389)


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


def judge_bind(heard: Heard) -> str:
    """Tell why the relay itself is not let in."""
    if "Invalid credentials" in heard.text:
        return "wrong name or password; correct login.bind_dn or login.bind_password_file, and deploy"
    if "not found" in heard.text:
        return f"{first_line(heard.text)}; deploy first, which installs ldap-utils"
    return exits_well("see login.bind_dn and the directory's access rules")(heard)


def judge_search(wanted: str) -> Callable[[Heard], str]:
    """Tell whether a search found one entry, and which it found where there are more."""

    def judge(heard: Heard) -> str:
        if "No such object" in heard.text:
            return "login.search_base is not there, or hidden from the relay; correct it or the access rules"
        entries = re.findall(r"^dn::? (.*)", heard.text, re.MULTILINE)
        if len(entries) > 1:
            return f"{wanted} finds {len(entries)}: {'; '.join(entries[:3])}; let one of them be found"
        if heard.well and not entries:
            return f"{wanted} finds nobody; add the user, or correct login.filter or login.search_base"
        return exits_well("see the directory's log")(heard)

    return judge
