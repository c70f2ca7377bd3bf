"""What a login needs of a server elsewhere: that it answers, and proves who it is. Pure; no host."""

import re
from collections.abc import Iterator
from shlex import quote
from urllib.parse import urlsplit

from tasks.layer import Heard, Layer, first_line

PATIENCE = 5  # seconds for a silent server
PORTS = {"ldap": 389, "ldaps": 636, "imaps": 993}


def layers(url: str, ca_file: str, setting: str) -> Iterator[Layer]:
    """Walk from the network to the certificate.

    :param ca_file: the CAs that it is checked against, on the host
    :param setting: what names the server
    """
    answers = f"{url} answers"
    host, port = _end(url)
    script = f"timeout {PATIENCE} bash -c {quote(f'</dev/tcp/{host}/{port}')}"
    yield Layer(answers, script, lambda heard: judge_connection(heard, setting))
    proves = f"{url} has a certificate for its name that {ca_file} vouches for"
    yield Layer(proves, _shaking_hands(url, ca_file), judge_certificate, [answers])


def _end(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS[parts.scheme]


def _shaking_hands(url: str, ca_file: str) -> str:
    host, port = _end(url)
    end = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    start_tls = "-starttls ldap" if urlsplit(url).scheme == "ldap" else ""
    kind = "ip" if re.fullmatch(r"[\d.]+|.*:.*", host) else "hostname"
    return (
        f"timeout {2 * PATIENCE} openssl s_client -connect {quote(end)} {start_tls} -CAfile {quote(ca_file)}"
        f" -verify_return_error -verify_{kind} {quote(host)} </dev/null"
    )


def judge_connection(heard: Heard, setting: str) -> str:
    """Tell why a server does not answer."""
    if heard.well:
        return ""
    lookup = f"cannot be looked up; correct {setting}, or the relay's /etc/resolv.conf"
    no_way = "there is no way to it; see the relay's routes and firewall"
    known = {
        "Connection refused": f"nobody listens there; start it, or correct {setting}",
        "not known": f"its name {lookup}",
        "Temporary failure in name resolution": f"its name {lookup}",
        "No address": f"its address {lookup}",
        "unreachable": no_way,
        "No route": no_way,
    }
    silent = f"no answer within {PATIENCE} s; see the firewalls on the way"
    return next((words for sign, words in known.items() if sign in heard.text), silent)


def judge_certificate(heard: Heard) -> str:
    """Tell why a certificate is not believed."""
    if error := re.search(r"verify error:num=\d+:\s*(.*)", heard.text):
        return f"{error[1].strip()}; correct login.ca_file, or give the server a certificate for its name"
    if not heard.well:
        return f"no TLS there: {first_line(heard.text) or 'no answer'}; switch it on at the server"
    return ""
