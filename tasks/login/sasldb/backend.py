"""libsasl itself looks accounts up, in a database on the relay."""

from collections.abc import Iterator, Sequence
from shlex import quote

from pyinfra import host

from tasks import settings
from tasks.activation.leftovers import Remains
from tasks.inventory.operator_files import complaint, read_accounts
from tasks.login import accounts
from tasks.login import socket_checks as socket_layers
from tasks.login.backend import Asked
from tasks.login.sasldb import operations as sasldb
from tasks.login.sections import Sasldb
from tasks.part.check import Account, Layer, exits_well

# A file of our own: Debian's /etc/sasldb2 may serve others on the host.
DATABASE = "/etc/postfix/sasldb2"

PACKAGES: Sequence[str] = ("libsasl2-modules", "db-util")

# Every process of smtpd opens it at each login, as user postfix.
HEALTH = f"""\
runuser -u postfix -- test -r {DATABASE} ||
  echo "user postfix cannot read {DATABASE}; see its rights"
"""

ASKED = Asked(
    health=HEALTH,
    smtpd_conf={"pwcheck_method": "auxprop", "auxprop_plugin": "sasldb", "sasldb_path": DATABASE},
)
LEAVES = Remains([DATABASE])


def check(login: Sasldb) -> None:
    """Refuse a file that holds something else than names and passwords.

    :raises SettingsError: naming the file, the line and the remedy
    """
    for name, password in read_accounts("login.accounts_file", login.accounts_file).items():
        if accounts.is_hash(password):
            raise complaint(
                "login.accounts_file",
                f"{login.accounts_file}: {name} has a hash; sasldb takes passwords alone, so write that, or "
                "use DovecotPasswdFile",
            )


def mechanisms(login: Sasldb) -> Sequence[str]:
    """Name what the inventory offers."""
    return login.mechanisms


def configure(login: Sasldb) -> None:
    """Make the database anew where it does not hold the operator's accounts and no others."""
    relay = settings.of(host)
    found = read_accounts("login.accounts_file", login.accounts_file)
    sasldb.database(
        name=f"Keep the accounts in {DATABASE}",
        path=DATABASE,
        pairs=sasldb.Pairs(accounts.sasldb(found, relay.submission.local_domain or relay.hostname)),
        group="postfix",
    )


def layers(login: Sasldb, account: Account | None) -> Iterator[Layer]:
    """See that the accounts are there, and are Postfix's to read."""
    holds = f"{DATABASE} holds accounts"
    yield Layer(holds, f"db_dump {DATABASE} | grep -q ^DATA=END", exits_well("deploy"))
    if account:
        user, _, domain = account.login.partition("@")
        known = f"{account.login} is one of them"
        # Without a domain any realm will do: which is the server's own is libsasl's affair.
        key = "".join(f"{part}\0".encode().hex() for part in (user, *([domain] if domain else [])))
        script = f"db_dump {DATABASE} | grep -q {quote(f'^ {key}')} || {{ echo it is not; false; }}"
        yield Layer(known, script, exits_well("add it to login.accounts_file, and deploy"), [holds])
    reads = f"user postfix may read {DATABASE}"
    script = f"runuser -u postfix -- test -r {DATABASE} || {{ stat -c 'it is %U:%G %a' {DATABASE}; false; }}"
    yield Layer(reads, script, exits_well("deploy"), [holds])
    yield socket_layers.outside([reads])
