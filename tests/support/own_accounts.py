"""What the backends have in common whose accounts are on the relay: who gets in by which mechanism."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.topology import USERS
from tests.support import scram
from tests.support.at_once import at_once
from tests.support.bed import Account, Endpoint, Relay
from tests.support.smtp import MailProgram

LOGINS = 24  # at once; what checks passwords takes its time over a wrong one
ALICE = Account(USERS[0].uid, USERS[0].password)
RIGHT = {user.uid: Account(user.uid, user.password) for user in USERS}
WRONG = {
    "wrong password": Account(ALICE.login, "correct-horse-8"),
    "other case": Account(ALICE.login, ALICE.password.upper()),
    "blank added": Account(ALICE.login, f"{ALICE.password} "),
    "empty password": Account(ALICE.login, ""),
    "somebody else's password": Account("bob", ALICE.password),
    "unknown user": Account("nobody-by-this-name", ALICE.password),
    "account of the host": Account("root", ""),
}


class Login(NamedTuple):
    """A login that is tried, and what it is about."""

    endpoint: Endpoint
    mechanism: str
    about: str


# All that any backend puts on a host, and all that runs for one.
FILES = (
    *("/etc/saslauthd.conf", "/etc/saslauthd.ca.pem", "/etc/saslauthd.imap-ca.pem", "/etc/pam.d/smtp"),
    *("/etc/systemd/system/saslauthd.service", "/run/saslauthd", "/usr/local/lib/quietrelay/[gl]*"),
    *("/etc/postfix/sasl/smtpd.conf", "/etc/postfix/sasldb2", "/etc/dovecot/quietrelay*"),
    *("/etc/systemd/system/quietrelay-dovecot.service", "/run/quietrelay-dovecot"),
    *("/etc/systemd/system/quietrelay-ldap.service", "/run/quietrelay-ldap"),
)
LEFT = f"""
ls -d {" ".join(FILES)} 2>/dev/null
for unit in saslauthd quietrelay-dovecot quietrelay-ldap dovecot; do
    systemctl is-active -q $unit && echo "$unit is active"
    systemctl is-enabled -q $unit 2>/dev/null && echo "$unit is enabled"
done
ps -eo comm= | grep -E '^(saslauthd|dovecot|auth)$' | sort -u
true
"""


def left_on(relays: Iterable[Relay]) -> dict[Relay, set[str]]:
    """Tell what there is of any backend: paths, units and processes."""
    return {relay: set(relay.remote.run(LEFT).splitlines()) for relay in relays}


def served_by(unit: str, *paths: str, processes: Iterable[str]) -> set[str]:
    """Write what `left_on` finds of a backend that has a daemon."""
    return {*paths, *processes, f"{unit} is active", f"{unit} is enabled"}


def code_of(program: MailProgram, endpoint: Endpoint, mechanism: str, account: Account) -> int:
    """Log in by a mechanism, and return the reply's code."""
    with program.open_secure(endpoint) as conversation:
        if mechanism in scram.DIGESTS:
            return scram.log_in(conversation, mechanism, account).code
        if mechanism == "LOGIN":
            return conversation.log_in_by_login(account).code
        return conversation.log_in_by_plain(account).code


def replies(
    program: MailProgram,
    endpoints: Sequence[Endpoint],
    mechanisms: Sequence[str],
    accounts: Mapping[str, Account],
) -> dict[Login, int]:
    """Try every account at every endpoint by every mechanism, many at once."""
    logins = [
        Login(endpoint, mechanism, about)
        for endpoint in endpoints
        for mechanism in mechanisms
        for about in accounts
    ]
    return at_once(
        lambda one: code_of(program, one.endpoint, one.mechanism, accounts[one.about]), logins, LOGINS
    )


def others_than(code: int, found: Mapping[Login, int], about: Iterable[str]) -> dict[Login, int]:
    """List the logins that got another reply than this."""
    chosen = {login: reply for login, reply in found.items() if login.about in set(about)}
    assert chosen
    return {login: reply for login, reply in chosen.items() if reply != code}


def offers(program: MailProgram, endpoints: Sequence[Endpoint]) -> dict[Endpoint, set[str]]:
    """Read which mechanisms each endpoint offers under TLS."""
    found = {}
    for endpoint in endpoints:
        with program.open(endpoint) as conversation:
            lines = [line for line in conversation.secure() if line.startswith("AUTH ")]
        found[endpoint] = {word for line in lines for word in line.split()[1:]}
    return found


def write_accounts(path: Path, accounts: Iterable[Account]) -> None:
    """Write an operator's file of accounts."""
    lines = [f"{login}:{password}\n" for login, password in accounts]
    path.write_text("".join(["# The accounts of the relay\n\n", *lines]))
