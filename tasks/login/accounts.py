"""The operator's file of accounts, and what is made of it for those who check passwords. All of it is pure.

A line is ``NAME:PASSWORD``; everything after the first colon is the password, blanks included. Empty lines
and those that begin with ``#`` say nothing, so an account is removed or locked by a ``#`` before it.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping

# What Dovecot takes for a name (auth_username_chars), with at most one @.
NAME = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9._-]+)?")
SCRAM = re.compile(r"\{SCRAM-SHA-256\}\d+,[A-Za-z0-9+/]+=*,[A-Za-z0-9+/]{43}=,[A-Za-z0-9+/]{43}=")
HASH = re.compile(r"\{[A-Za-z0-9._-]+\}.")
ITERATIONS = 10_000  # of SCRAM's; the least is 4096 (RFC 7677 4)
LONGEST = 256  # bytes of a name or a password


def parse(text: str) -> dict[str, str]:
    """Read a file of accounts: name to password, or to a hash for SCRAM-SHA-256.

    :raises ValueError: naming the line, what is wrong and the remedy, and never a password
    """
    accounts: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, password = line.removesuffix("\r").partition(":")
        if problem := _problem(name, bool(colon), password):
            raise ValueError(f"line {number}: {problem}")
        if name in accounts:
            raise ValueError(f"line {number}: {name} stands here for the second time; leave one of them out")
        accounts[name] = password
    if not accounts:
        raise ValueError("has no account, so nobody could log in; write a line NAME:PASSWORD for each")
    return accounts


def _problem(name: str, has_colon: bool, password: str) -> str | None:
    if not has_colon:  # the line may be a password alone, and is not shown
        return "has no colon; write NAME:PASSWORD"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        return (
            "what stands before the colon is no name; letters, digits, dots, hyphens and underscores "
            "make one, and a domain after @ may follow"
        )
    if not password:
        return f"{name} has no password; give one, or put a # before the line"
    if len(password.encode()) > LONGEST or re.search(r"[\0\r\t]", password):
        return f"{name}'s password is longer than {LONGEST} bytes, or has a tab or a control character in it"
    if HASH.match(password) and not SCRAM.fullmatch(password):
        return (
            f"{name}'s password looks like a hash that is not one for SCRAM-SHA-256; write the password "
            "itself, or what `doveadm pw -s SCRAM-SHA-256` makes of it"
        )
    return None


def is_hash(password: str) -> bool:
    """Tell whether a file's password is a hash already."""
    return bool(SCRAM.fullmatch(password))


def sasldb(accounts: Mapping[str, str], realm: str) -> list[tuple[str, str]]:
    """Write accounts as libsasl's sasldb holds them: pairs of key and value, in hexadecimal digits, sorted.

    A key is user, realm and property, parted by NUL; a login without a domain belongs to the server's own
    realm (lib/checkpw.c and sasldb/allockey.c of Cyrus SASL).

    :param realm: that of names without a domain
    """
    pairs = []
    for name, password in accounts.items():
        user, _, domain = name.partition("@")
        key = "\0".join([user, domain or realm, "userPassword"])
        pairs.append((key.encode().hex(), password.encode().hex()))
    return sorted(pairs)


def passwd_file(accounts: Mapping[str, str], relay: str) -> str:
    """Write accounts as a passwd-file of Dovecot's, hashed for SCRAM-SHA-256, which PLAIN is checked by too.

    The same accounts make the same file. A salt is different for each account of each relay; it is no secret,
    for a server tells it to whoever begins a login (RFC 5802 3).

    :param relay: the relay's name
    """
    return "".join(
        f"{name}:{password if is_hash(password) else scram(password, _salt(relay, name))}\n"
        for name, password in sorted(accounts.items())
    )


def scram(password: str, salt: bytes) -> str:
    """Derive what a server stores for SCRAM-SHA-256 (RFC 5802 3), in Dovecot's form."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = (b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"{{SCRAM-SHA-256}}{ITERATIONS},{','.join(parts)}"


def _salt(relay: str, name: str) -> bytes:
    return hashlib.sha256(f"{relay}\0{name}".encode()).digest()[:16]
