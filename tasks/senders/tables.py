"""Tables that tell Postfix who owns an address. Pure; no host."""

import re
from collections.abc import Iterator, Mapping, Sequence

# An address in the operator's file; without a local part it is the whole domain's.
ADDRESS = re.compile(r'[^\s@,"<>]*@[^\s@,"<>]+')


def by_login_table(domains: Sequence[str], local_domain: str) -> str:
    """Write the table that derives an address's owners from itself, for main.cf (pcre_table(5)).

    An address is owned by the logins with its local part, and by those without its extension. A local part
    with blanks, commas or quotes is nobody's: it could be read as several logins.
    """
    plain = r'[^\s@,"]'
    # \Q..\E takes the delimiters as they are; the line feed is there for a host that has none.
    extension = rf"(?:[\Q$recipient_delimiter\E\n]{plain}*)?"
    pattern = rf"^({plain}+?)({extension})@({'|'.join(map(re.escape, domains))})$"
    names = ["${1}", "${1}${2}"]
    owners = [*names, *(f"{name}@${{3}}" for name in names)]
    if local_domain:
        owners += [f"{name}@{local_domain}" for name in names]
    text = f"{{/{pattern}/ {', '.join(owners)}}}"
    # What Postfix is not to replace in main.cf, but in the table.
    return f"pcre:{{{text.replace('$', '$$').replace('$$recipient_delimiter', '$recipient_delimiter')}}}"


def file_table(owners: Mapping[str, Sequence[str]], local_domain: str) -> str:
    """Write the table that an operator's file becomes (postmap(1), on texthash)."""
    lines = [f"{address} {', '.join(_as_known(owners[address], local_domain))}" for address in owners]
    return "\n".join(["# Who may send as whom. Written by quietrelay.", *lines]) + "\n"


def _as_known(logins: Sequence[str], local_domain: str) -> Iterator[str]:
    """Name logins as Postfix has them, which adds the local domain to one without a domain."""
    for login in logins:
        yield login if "@" in login or not local_domain else f"{login}@{local_domain}"


def parse(text: str) -> dict[str, list[str]]:
    """Read an operator's file: address to logins.

    :raises ValueError: telling the line and what is wrong with it
    """
    owners: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        address, *logins = re.split(r"[\s,]+", line.strip().rstrip(","))
        if line[0].isspace() or not ADDRESS.fullmatch(address):
            raise ValueError(f"line {number} does not begin with an address; write ADDRESS LOGIN, LOGIN")
        if not logins:
            raise ValueError(f"line {number} names no login; write ADDRESS LOGIN, LOGIN")
        if address.casefold() in owners:
            raise ValueError(f"line {number} names {address} a second time; put all its logins in one line")
        owners[address.casefold()] = logins
    if not owners:
        raise ValueError("names no address, so nobody could send; write ADDRESS LOGIN, LOGIN, a line each")
    return owners
