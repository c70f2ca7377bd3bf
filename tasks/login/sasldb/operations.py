"""Accounts in a database of libsasl's."""

from collections.abc import Generator, Sequence
from hashlib import sha256

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from tasks.host import differences
from tasks.login.sasldb.facts import Sasldb


class Pairs(list[tuple[str, str]]):
    """Keys and values in hexadecimal digits, sorted; secrets, so nothing shows them."""

    def __repr__(self) -> str:
        """Tell how many there are."""
        return f"<{len(self)} accounts>"


@operation()
def database(path: str, pairs: Sequence[tuple[str, str]], group: str) -> Generator[StringCommand, None, None]:
    """Own a sasldb: root's, readable for a group, made anew and replaced in one rename where it differs.

    The pairs go over the connection's standard input, so they stand in no argument and no other file.

    + path: absolute path on the host; its directory exists
    + pairs: all that it holds (`tasks.accounts.sasldb`)
    + group: group that may read it
    """
    lines = "".join(f"{key}\t{value}\n" for key, value in pairs)
    found, wanted = (
        host.get_fact(Sasldb, path=path),
        [f"root:{group} 640", sha256(lines.encode()).hexdigest()],
    )
    if found == wanted:
        host.noop(f"{path} is up to date")
        return
    rights = found[0] if found else ""
    said = f"it is {rights}, not {wanted[0]}" if rights != wanted[0] else "it holds other accounts"
    differences.tell(path, said if rights else "is not there")
    dump = ["VERSION=3", "format=bytevalue", "type=hash", "HEADER=END"]
    dump += [f" {text}" for pair in pairs for text in pair]
    yield StringCommand(
        # mktemp makes the directory 0700 (mktemp(1)); beside the destination, so that mv is a rename.
        StringCommand("new=$(mktemp -d ", QuoteString(f"{path}.XXXXXX"), ")", _separator=""),
        "&& trap 'rm -rf \"$new\"' EXIT",
        '&& db_load "$new"/db',
        StringCommand('&& chmod 640 "$new"/db && chown', QuoteString(f"root:{group}"), '"$new"/db'),
        StringCommand('&& mv "$new"/db', QuoteString(path)),
        _stdin="\n".join([*dump, "DATA=END", ""]),
    )
