"""What a login needs of a server elsewhere that has TLS: it answers, and proves who it is. Pure; no host."""

import re
from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from tasks.part.check import Check, Result, first_line

PATIENCE = 5  # seconds for a silent server


class Server(NamedTuple):
    """A server as the relay reaches it."""

    url: str
    host: str
    port: int
    ca_file: str
    """CAs on the relay that its certificate is checked against."""
    start_tls: str = ""
    """Protocol in which TLS is asked for (openssl-s_client(1), -starttls); none has it from the start."""

    @property
    def proves(self) -> str:
        """Name the last of its checks."""
        return f"{self.url} has a certificate for its name that {self.ca_file} vouches for"


def checks(server: Server) -> Iterator[Check]:
    """Walk up to a server's certificate."""
    answers = f"{server.url} answers"
    yield Check(answers, _connecting(server), judge_connection)
    yield Check(server.proves, _shaking_hands(server), judge_certificate, [answers])


def _connecting(server: Server) -> str:
    return f"timeout {PATIENCE} bash -c {quote(f'</dev/tcp/{server.host}/{server.port}')}"


def _shaking_hands(server: Server) -> str:
    host = server.host
    end = f"[{host}]:{server.port}" if ":" in host else f"{host}:{server.port}"
    is_address = re.fullmatch(r"[\d.]+|.*:.*", host)
    return " ".join(
        [
            f"timeout {2 * PATIENCE} openssl s_client -connect {quote(end)}",
            *([f"-starttls {server.start_tls}"] if server.start_tls else []),
            f"-CAfile {quote(server.ca_file)} -verify_return_error",
            f"-verify_{'ip' if is_address else 'hostname'} {quote(host)} </dev/null",
        ]
    )


def judge_connection(result: Result) -> str:
    """Tell why a server does not answer."""
    if result.succeeded:
        return ""
    known = {
        "Connection refused": "nobody listens there; start the server, or correct its address in login",
        "not known": "its name cannot be looked up; correct it in login, or the relay's /etc/resolv.conf",
        "No address": "its name has no address; correct it in login, or the relay's /etc/resolv.conf",
        "unreachable": "there is no way to it; see the relay's routes and firewall",
        "No route": "there is no way to it; see the relay's routes and firewall",
    }
    silent = f"no answer within {PATIENCE} s; see the firewalls on the way"
    return next((words for sign, words in known.items() if sign in result.output), silent)


def judge_certificate(result: Result) -> str:
    """Tell why a certificate is not believed."""
    if error := re.search(r"verify error:num=\d+:\s*(.*)", result.output):
        return f"{error[1].strip()}; correct login.ca_file, or give the server a certificate for its name"
    if not result.succeeded:
        return f"no TLS there: {first_line(result.output) or 'no answer'}; switch it on in the server"
    return ""
