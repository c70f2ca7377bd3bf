"""Dovecot looks accounts up in a passwd-file on the relay."""

from collections.abc import Iterator, Sequence
from shlex import quote

from pydantic import SecretStr
from pyinfra import host
from pyinfra.operations import files

from tasks import accounts, settings
from tasks.layer import Account, Layer, exits_well
from tasks.logins import DovecotPasswdFile
from tasks.operations import secrets
from tasks.operator_files import read_accounts
from tasks.sasl import dovecot

USERS = "/etc/dovecot/quietrelay.users"

PACKAGES = dovecot.PACKAGES
ASKED = dovecot.asked(dovecot.SOCKET)


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


def forget() -> None:
    """Remove the accounts."""
    files.file(name=f"Remove {USERS}", path=USERS, present=False)


def layers(login: DovecotPasswdFile, account: Account | None) -> Iterator[Layer]:
    """Walk from the accounts to Dovecot's socket."""
    holds = f"{USERS} is there for Dovecot to read"
    yield Layer(holds, f"runuser -u dovecot -- test -r {USERS}", exits_well("deploy"))
    if account:
        known = f"{account.login} has an account there"
        script = f"cut -d: -f1 {USERS} | grep -qxF {quote(account.login)} || {{ echo it has none; false; }}"
        yield Layer(known, script, exits_well("add it to login.accounts_file, and deploy"), [holds])
        holds = known
    yield from dovecot.layers([holds])
