"""All ways to log in, as inventories have them: `given` is the lab's own section, `lab` its names."""

from dataclasses import dataclass

from lab.topology import RELAY_DOMAIN, USERS
from tests.support.bed import Account

ALICE = Account(USERS[0].uid, USERS[0].password)
AT_RELAY = Account(f"{ALICE.login}@{RELAY_DOMAIN}", ALICE.password)
DIRECTORY = 'servers=["ldap://directory.relay.test"], search_base=lab.PEOPLE_DN, ca_file=given.ca_file'
BOUND = "bind_dn=given.bind_dn, bind_password_file=given.bind_password_file"


@dataclass(frozen=True)
class Way:
    """A way to log in."""

    login: str
    """The section, in Python, with `{accounts}` for the operator's file of accounts."""
    account: Account = ALICE
    """Somebody who gets in so."""


WAYS = {
    "LDAP, anonymous search": Way(f"SaslauthdLdap({DIRECTORY})"),
    "LDAP, bound search": Way("given"),
    "LDAP, both names": Way(f"SaslauthdLdap({DIRECTORY}, names='both')", AT_RELAY),
    "LDAP, branches": Way(
        f"SaslauthdLdap({DIRECTORY.replace('lab.PEOPLE_DN', repr('ou=People,dc=%2,dc=%1'))},"
        " filter='(&(uid=%U)(mail=*@%r))', names='address', domains=[lab.RELAY_DOMAIN])",
        AT_RELAY,
    ),
    "LDAP, fast bind": Way(f"SaslauthdLdap({DIRECTORY}, auth_method='fastbind')"),
    "LDAP, comparison": Way(f"SaslauthdLdap({DIRECTORY}, auth_method='custom', {BOUND})"),
    "PAM": Way("SaslauthdPam(auth=['required pam_unix.so nodelay'])"),
    "IMAP": Way("SaslauthdRimap(server='imaps://directory.relay.test', ca_file=given.ca_file)"),
    "sasldb": Way("Sasldb(accounts_file={accounts!r})"),
    "Dovecot, accounts": Way("DovecotPasswdFile(accounts_file={accounts!r})"),
    "Dovecot, LDAP": Way(f"DovecotLdap({DIRECTORY})"),
}
ACCOUNTS = f"{ALICE.login}:{ALICE.password}\n"
ON_HOST = f"useradd --no-create-home {ALICE.login} && echo '{ALICE.login}:{ALICE.password}' | chpasswd"
"""What makes her an account of the host, as PAM judges."""
