"""What the relay needs of a server of somebody else's: it answers, and proves who it is. Pure; no host."""

import re
from collections.abc import Iterator
from functools import partial
from shlex import quote

from tasks.part import Server
from tasks.part.check import Check, Result, first_line

PATIENCE = 5  # seconds for a silent server


def checks(server: Server) -> Iterator[Check]:
    """Walk up to a server's certificate, where it has one."""
    yield Check(server.answers, connecting(server), partial(judge_connection, server.section))
    if not server.plain:
        script = shaking_hands(server, quote(server.ca_file))
        yield Check(server.proves, script, partial(judge_certificate, server.section), [server.answers])


def connecting(server: Server) -> str:
    """Write the command that connects."""
    if server.socket:
        return f"test -S {quote(server.socket)} || {{ echo there is no such socket; false; }}"
    return f"timeout {PATIENCE} bash -c {quote(f'</dev/tcp/{server.host}/{server.port}')}"


def shaking_hands(server: Server, trusted: str) -> str:
    """Write the command that begins TLS (openssl-s_client(1)).

    :param trusted: bash word for the file with the CAs
    """
    host = server.host
    end = f"[{host}]:{server.port}" if ":" in host else f"{host}:{server.port}"
    is_address = re.fullmatch(r"[\d.]+|.*:.*", host)
    return " ".join(
        [
            f"timeout {2 * PATIENCE} openssl s_client -connect {quote(end)}",
            *([f"-starttls {server.start_tls}"] if server.start_tls else []),
            f"-CAfile {trusted} -verify_return_error",
            f"-verify_{'ip' if is_address else 'hostname'} {quote(host)} </dev/null",
        ]
    )


def judge_connection(section: str, result: Result) -> str:
    """Tell why a server does not answer.

    :param section: that names the server
    """
    if result.succeeded:
        return ""
    known = {
        "no such socket": f"nobody listens there; start the server, or correct its socket in {section}",
        "Connection refused": f"nobody listens there; start the server, or correct its address in {section}",
        "not known": f"its name cannot be looked up; correct it in {section}, or /etc/resolv.conf there",
        "No address": f"its name has no address; correct it in {section}, or /etc/resolv.conf there",
        "unreachable": "there is no way to it; see the relay's routes and firewall",
        "No route": "there is no way to it; see the relay's routes and firewall",
    }
    silent = f"no answer within {PATIENCE} s; see the firewalls on the way"
    return next((words for sign, words in known.items() if sign in result.output), silent)


def judge_certificate(section: str, result: Result) -> str:
    """Tell why a certificate is not believed.

    :param section: that names the server
    """
    if error := re.search(r"verify error:num=\d+:\s*(.*)", result.output):
        return f"{error[1].strip()}; correct {section}.ca_file, or give the server a certificate for its name"
    if not result.succeeded:
        return f"no TLS there: {first_line(result.output) or 'no answer'}; switch it on in the server"
    return ""
