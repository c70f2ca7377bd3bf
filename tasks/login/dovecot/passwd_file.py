"""Dovecot looks accounts up in a passwd-file on the relay."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from pydantic import SecretStr

from tasks.login import accounts
from tasks.login.accounts_file import read_accounts
from tasks.login.dovecot import daemon
from tasks.login.realm import Realm
from tasks.login.sections import DovecotPasswdFile
from tasks.part import Account, Check, File, Part, merge
from tasks.part.check import exits_well

USERS = "/etc/dovecot/quietrelay.users"


def part(login: DovecotPasswdFile, realm: Realm) -> Part:
    """Write the accounts, which Dovecot reads again as soon as they change, and have it look there."""
    users = partial(_users, login, realm.hostname)
    own = Part(
        files={USERS: File(users, group="dovecot", mode="640", title=f"Keep the accounts in {USERS}")},
        checks=(partial(checks, login),),
    )
    return merge(own, daemon.part(login.mechanisms, users=USERS))


def _users(login: DovecotPasswdFile, hostname: str) -> SecretStr:
    return SecretStr(accounts.passwd_file(read_accounts(login.accounts_file), hostname))


def checks(login: DovecotPasswdFile, account: Account | None) -> Iterator[Check]:
    """Walk from the accounts over Dovecot to Postfix."""
    needs = []
    if account:
        known = f"{account.login} is in {USERS}"
        script = f"cut -d: -f1 {USERS} | grep -qxF -e {quote(account.login)}"
        remedy = "add it to login.accounts_file, and deploy"
        yield Check(known, script, exits_well(remedy))
        needs.append(known)
    yield from daemon.checks(account, needs)
