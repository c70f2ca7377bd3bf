"""Dovecot looks accounts up in a passwd-file on the relay."""

from collections.abc import Iterator, Sequence
from shlex import quote

from pydantic import SecretStr
from pyinfra import host

from tasks import settings
from tasks.activation.leftovers import Remains
from tasks.host.operations import secrets
from tasks.inventory.operator_files import read_accounts
from tasks.login import accounts
from tasks.login.dovecot import daemon as dovecot
from tasks.login.sections import DovecotPasswdFile
from tasks.part.check import Account, Layer, exits_well

USERS = "/etc/dovecot/quietrelay.users"

PACKAGES = dovecot.PACKAGES
ASKED = dovecot.asked(dovecot.SOCKET)
LEAVES = Remains([USERS])


def check(login: DovecotPasswdFile) -> None:
    """Refuse a file that holds something else than names and passwords.

    :raises SettingsError: naming the file, the line and the remedy
    """
    read_accounts("login.accounts_file", login.accounts_file)


def mechanisms(login: DovecotPasswdFile) -> Sequence[str]:
    """Name what the inventory offers."""
    return login.mechanisms


def configure(login: DovecotPasswdFile) -> None:
    """Write the accounts, which Dovecot reads again as soon as they change, and have it look there."""
    found = read_accounts("login.accounts_file", login.accounts_file)
    text = accounts.passwd_file(found, settings.of(host).hostname)
    secrets.file(name=f"Keep the accounts in {USERS}", path=USERS, content=SecretStr(text), group="dovecot")
    dovecot.run(login.mechanisms, users=USERS)


def layers(login: DovecotPasswdFile, account: Account | None) -> Iterator[Layer]:
    """Walk from the accounts over Dovecot to Postfix."""
    rests_on = []
    if account:
        known = f"{account.login} is in {USERS}"
        script = f"cut -d: -f1 {USERS} | grep -qxF -e {quote(account.login)}"
        remedy = "add it to login.accounts_file, and deploy"
        yield Layer(known, script, exits_well(remedy))
        rests_on.append(known)
    yield from dovecot.layers(account, rests_on)
