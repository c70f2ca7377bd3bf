"""libsasl itself looks accounts up, in a database on the relay."""

from collections.abc import Iterator, Mapping
from functools import partial
from shlex import quote

from tasks.inventory.operator_files import OperatorFileError
from tasks.login import accounts, libsasl, socket_checks
from tasks.login.accounts_file import SETTING, read_accounts
from tasks.login.realm import Realm
from tasks.login.sasldb import operations
from tasks.login.sections import Sasldb
from tasks.part import Account, Check, Made, Part, merge
from tasks.part.check import exits_well

# A file of our own: Debian's /etc/sasldb2 may serve others on the host.
DATABASE = "/etc/postfix/sasldb2"

# Every process of smtpd opens it at each login, as user postfix.
READABLE = f"""\
runuser -u postfix -- test -r {DATABASE} ||
  echo "user postfix cannot read {DATABASE}; see its rights"
"""


def part(login: Sasldb, realm: Realm) -> Part:
    """Make the database anew where it does not hold the operator's accounts and no others."""
    database = Made(
        operations.database,
        partial(_database, login, realm.name),
        group="postfix",
        mode="640",
        title=f"Keep the accounts in {DATABASE}",
    )
    own = Part(
        packages=("libsasl2-modules", "db-util"),
        files={DATABASE: database},
        probes=(READABLE,),
        checks=(partial(checks, login),),
    )
    lines = {"pwcheck_method": "auxprop", "auxprop_plugin": "sasldb", "sasldb_path": DATABASE}
    return merge(own, libsasl.part(lines, login.mechanisms))


def _database(login: Sasldb, realm: str) -> Mapping[str, object]:
    found = read_accounts(login.accounts_file)
    for name, password in found.items():
        if accounts.is_hash(password):
            raise OperatorFileError(
                SETTING,
                f"{login.accounts_file}: {name} has a hash; sasldb takes passwords alone, so write that, or "
                "use DovecotPasswdFile",
            )
    pairs = operations.Pairs(accounts.sasldb(found, realm))
    return {"path": DATABASE, "pairs": pairs, "group": "postfix"}


def checks(login: Sasldb, account: Account | None) -> Iterator[Check]:
    """See that the accounts are there, and are Postfix's to read."""
    holds = f"{DATABASE} holds accounts"
    yield Check(holds, f"db_dump {DATABASE} | grep -q ^DATA=END", exits_well("deploy"))
    if account:
        user, _, domain = account.login.partition("@")
        known = f"{account.login} is one of them"
        # Without a domain any realm will do: which is the server's own is libsasl's affair.
        key = "".join(f"{part}\0".encode().hex() for part in (user, *([domain] if domain else [])))
        script = f"db_dump {DATABASE} | grep -q {quote(f'^ {key}')} || {{ echo it is not; false; }}"
        yield Check(known, script, exits_well("add it to login.accounts_file, and deploy"), [holds])
    reads = f"user postfix may read {DATABASE}"
    script = f"runuser -u postfix -- test -r {DATABASE} || {{ stat -c 'it is %U:%G %a' {DATABASE}; false; }}"
    yield Check(reads, script, exits_well("deploy"), [holds])
    yield socket_checks.outside([reads])
