"""What a setting may be: names, paths and addresses that are checked. Everything here is pure.

Each function returns its value, or raises ValueError saying what is wrong and what to write instead.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo


def fqdn(name: str) -> str:
    label = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
    if len(name) > 253 or not re.fullmatch(rf"({label}\.)+(?!\d+$){label}", name.lower()):
        raise ValueError(f"{name!r} is not a fully qualified host name; write one like mx1.example.org")
    return name.lower()


def ldap_url(url: str) -> str:
    remedy = "write one like ldaps://ldap.example.org or ldap://ldap.example.org:389"
    if url.startswith("ldapi://"):
        if not re.fullmatch(r"ldapi://((%2[Ff][\w.-]+)+)?/?", url):
            raise ValueError(f"{url!r} is not the URL of a socket; {remedy}, or ldapi:///")
        return url
    return _server(url, "LDAP", ("ldap", "ldaps"), remedy)


def imaps_url(url: str) -> str:
    return _server(url, "IMAP", ("imaps",), "write one like imaps://imap.example.org")


def _server(url: str, protocol: str, schemes: tuple[str, ...], remedy: str) -> str:
    if "@" in url:
        raise ValueError(f"an {protocol} URL holds no login or password; {remedy}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{url!r} is not an {protocol} URL; {remedy}") from None
    if parts.scheme not in schemes or not host or parts.path.strip("/") or port == 0:
        raise ValueError(f"{url!r} is not an {protocol} URL of a server; {remedy}")
    if re.search(r"\s", url) or parts.query or parts.fragment:
        raise ValueError(f"{url!r} holds more than a server's address; {remedy}")
    return url


def https_url(url: str) -> str:
    if not re.fullmatch(r"https://[^\s/@?#]+/[^\s?#]*", url):
        raise ValueError(
            f"{url!r} is not the URL of a directory; write one like https://acme.example.org/directory"
        )
    return url


def email(address: str) -> str:
    if not re.fullmatch(r"[^\s@,<>\"]+@[^\s@,<>\"]+\.[^\s@,<>\"]+", address):
        raise ValueError(f"{address!r} is not an address; write one like postmaster@example.org")
    return address


def one_line(text: str) -> str:
    if not text.strip() or re.search(r"[\0\r\n]", text):
        raise ValueError("must be one line and not empty")
    return text


def operator_path(path: str, info: ValidationInfo) -> str:
    """Count a path from the directory of the file in which it is written, and not from where a run starts.

    :param info: its context is that file; where there is none the path stays
    """
    one_line(path)
    if info.context is None or path.startswith("~"):
        return path
    return str(Path(info.context).absolute().parent / path)


def main_cf_value(text: str) -> str:
    if text != text.strip() or re.search(r"[\0\r\n]", text):
        raise ValueError("must be one line, which begins and ends with no blank")
    return text


def host_path(path: str) -> str:
    if not re.fullmatch(r"/[^\s,\0]+", path):
        raise ValueError(f"{path!r} is not an absolute path on the host; write one without blanks or commas")
    return path


def header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+\*?", name):
        raise ValueError(
            f"{name!r} is not a header's name; write one like X-Mailer, or X-Source* for all such"
        )
    needed = [one for one in NEEDED if re.fullmatch(name.replace("*", ".*"), one, re.IGNORECASE)]
    if needed:
        raise ValueError(f"{name} would drop {', '.join(needed)}, without which mail is broken; leave it out")
    return name


def domain(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", name.lower()):
        raise ValueError(f"{name!r} is not a domain; write one like lan or fritz.box")
    return name.lower()


def address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an address; write one like 192.0.2.7 or 2001:db8::7") from None


def attribute(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise ValueError(f"{name!r} is not the name of an LDAP attribute; write one like uid")
    return name


# Headers that make a mail what it is, or that are rewritten and not dropped (RFC 5322 3.6, RFC 2045).
NEEDED = (
    *("From", "Sender", "Reply-To", "To", "Cc", "Date", "Subject", "Message-ID", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "DKIM-Signature", "Received"),
)

Fqdn = Annotated[str, AfterValidator(fqdn)]
LdapUrl = Annotated[str, AfterValidator(ldap_url)]
ImapsUrl = Annotated[str, AfterValidator(imaps_url)]
HttpsUrl = Annotated[str, AfterValidator(https_url)]
Email = Annotated[str, AfterValidator(email)]
MainCfValue = Annotated[str, AfterValidator(main_cf_value)]
Line = Annotated[str, AfterValidator(one_line)]
OperatorPath = Annotated[str, AfterValidator(operator_path)]
HostPath = Annotated[str, AfterValidator(host_path)]
HeaderName = Annotated[str, AfterValidator(header_name)]
Domain = Annotated[str, AfterValidator(domain)]
Address = Annotated[str, AfterValidator(address)]
Attribute = Annotated[str, AfterValidator(attribute)]
Days = Annotated[int, Field(ge=1, le=365)]
