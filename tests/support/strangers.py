"""What the internet tries at a relay, day after day: not the relay's fault, and never to be taken for it."""

import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from tests.support.bed import Endpoint, TestBed

PATIENCE = 5.0  # seconds; where Postfix makes a client wait, the next try begins
AT_ONCE = 24  # conversations; most of them wait, for Postfix makes those wait that make mistakes
MISTAKES = 25  # more than smtpd_hard_error_limit

NTLM = "TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA="
TRIES = {
    "mechanisms that are not offered": [
        f"AUTH NTLM {NTLM}",
        "AUTH CRAM-MD5",
        "AUTH DIGEST-MD5",
        "AUTH GSSAPI",
    ],
    "a wrong password": ["AUTH LOGIN", "YWRtaW4=", "MTIzNDU2"],
    "no name": ["AUTH LOGIN", "", "", "AUTH PLAIN AAA="],
    "what is not Base64": ["AUTH PLAIN ***", "AUTH LOGIN", "%%%"],
    "what is broken off": ["AUTH LOGIN", "*"],
    "requests that are too long": [
        f"AUTH PLAIN {b64encode(bytes(1) + b'x' * 2000 + bytes(1) + b'y').decode()}"
    ],
    "mistakes": ["HELLO"] * MISTAKES,
    "unknown users": [
        "MAIL FROM:<>",
        *(f"RCPT TO:<nobody{number}@relay.test>" for number in range(5)),
        "DATA",
    ],
    "another protocol": ["GET / HTTP/1.1", "Host: relay", ""],
    "names that are none": [
        "EHLO [",
        "EHLO \udce9\udcff",
        "HELO -.-",
        "MAIL FROM:<<>>",
        "VRFY root",
        "EXPN root",
    ],
    "an endless line": ["x" * 70000],
}
GARBAGE = (b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x00\x02" + b"\xff" * 40, b"\r\n" * 3, b"")


def try_all(test_bed: TestBed) -> None:
    """Try everything at each port of all relays, within TLS and without."""
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tries = [
            pool.submit(_converse, test_bed, endpoint, lines, tls)
            for lines in TRIES.values()
            for endpoint in endpoints
            for tls in {True, endpoint.opens_in_tls}
        ]
        tries += [
            pool.submit(_babble, test_bed, endpoint, some) for some in GARBAGE for endpoint in endpoints
        ]
    for one in tries:
        one.result()


def _babble(test_bed: TestBed, endpoint: Endpoint, garbage: bytes) -> None:
    """Send garbage instead of a handshake; where a greeting comes first, before that."""
    with suppress(OSError), _connected(test_bed, endpoint) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)


def _converse(test_bed: TestBed, endpoint: Endpoint, lines: Sequence[str], tls: bool) -> None:
    """Say these lines, whatever is answered, until the relay hangs up."""
    with suppress(OSError), ExitStack() as closing:
        connection = closing.enter_context(_connected(test_bed, endpoint))
        if endpoint.opens_in_tls:
            connection = closing.enter_context(_secured(connection))
        connection.recv(4096)
        for line in [*_greeting(endpoint, tls), *lines, "QUIT"]:
            connection.sendall(line.encode("utf-8", "surrogateescape") + b"\r\n")
            if not connection.recv(4096):
                break
            if line == "STARTTLS":
                connection = closing.enter_context(_secured(connection))


def _greeting(endpoint: Endpoint, tls: bool) -> Iterator[str]:
    yield "EHLO pc"
    if tls and not endpoint.opens_in_tls:
        yield from ("STARTTLS", "EHLO pc")


def _connected(test_bed: TestBed, endpoint: Endpoint) -> socket.socket:
    return test_bed.client_host.connect(endpoint.address, endpoint.port, PATIENCE)


def _secured(connection: socket.socket) -> ssl.SSLSocket:
    trust = ssl._create_unverified_context()  # noqa: S323  a stranger does not care
    return trust.wrap_socket(connection)
