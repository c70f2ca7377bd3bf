"""Makes load, and times it: logins at a relay, or binds at a directory. Runs on a host of the lab.

It needs nothing but Python's standard library, since it is sent there over SSH. Standard input holds JSON:
what, host, authority (a CA in PEM), login, password, count, connections. It prints JSON: the seconds that all
took, and those that each took.
"""

from __future__ import annotations

import base64
import json
import smtplib
import socket
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PATIENCE = 60  # seconds


def log_in(told: dict[str, Any], trust: ssl.SSLContext) -> float:
    """Connect to 465, log in and leave; give the seconds from AUTH to its answer."""
    with smtplib.SMTP_SSL(told["host"], 465, "bench", timeout=PATIENCE, context=trust) as talk:
        talk.ehlo()
        if not told["login"]:
            return 0.0
        token = base64.b64encode(f"\0{told['login']}\0{told['password']}".encode()).decode()
        began = time.monotonic()
        code, text = talk.docmd("AUTH PLAIN", token)
        seconds = time.monotonic() - began
        assert code == 235, (code, text)
        return seconds


def bind(connection: ssl.SSLSocket, told: dict[str, Any]) -> None:
    """Bind as an entry of the directory (RFC 4511 4.2), on a connection that stays."""
    name = field(0x04, told["login"].encode()) + field(0x80, told["password"].encode())
    request = field(0x60, field(0x02, b"\x03") + name)
    connection.sendall(field(0x30, field(0x02, b"\x01") + request))
    answer = connection.recv(4096)
    # BindResponse, whose first element is the result: an enumerated 0 is success.
    assert b"\x61" in answer, answer
    assert answer[answer.index(b"\x61") + 2 :].startswith(b"\x0a\x01\x00"), answer


def field(tag: int, content: bytes) -> bytes:
    """Encode an element of less than 128 bytes (X.690 8.1)."""
    assert len(content) < 128, "too long for this"
    return bytes([tag, len(content)]) + content


def logins(told: dict[str, Any], trust: ssl.SSLContext) -> Callable[[int], list[tuple[float, float]]]:
    """Make what one connection after the other does: each login has a connection of its own."""

    def work(count: int) -> list[tuple[float, float]]:
        times = []
        for _ in range(count):
            began = time.monotonic()
            auth = log_in(told, trust)
            times.append((time.monotonic() - began, auth))
        return times

    return work


def binds(told: dict[str, Any], trust: ssl.SSLContext) -> Callable[[int], list[tuple[float, float]]]:
    """Make what one connection does: bind again and again, as saslauthd's workers do."""

    def work(count: int) -> list[tuple[float, float]]:
        times = []
        plain = socket.create_connection((told["host"], 636), timeout=PATIENCE)
        with trust.wrap_socket(plain, server_hostname=told["host"]) as connection:
            for _ in range(count):
                began = time.monotonic()
                bind(connection, told)
                seconds = time.monotonic() - began
                times.append((seconds, seconds))
        return times

    return work


def main() -> None:
    """Do what standard input says."""
    told = json.loads(sys.stdin.read())
    trust = ssl.create_default_context(cadata=told["authority"])
    work = {"logins": logins, "binds": binds}[told["what"]](told, trust)
    share = told["count"] // told["connections"]
    began = time.monotonic()
    with ThreadPoolExecutor(told["connections"]) as pool:
        done = [times for shares in pool.map(work, [share] * told["connections"]) for times in shares]
    seconds = time.monotonic() - began
    print(
        json.dumps({"seconds": seconds, "each": [one for one, _ in done], "auth": [two for _, two in done]})
    )


if __name__ == "__main__":
    main()
