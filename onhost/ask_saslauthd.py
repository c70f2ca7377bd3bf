"""Asks saslauthd for a password, as libsasl does: python3 -I ask_saslauthd.py < QUESTION, as a user who may.

testsaslauthd(8) takes the password as an argument, for all to see. This says the same to the same socket:
login, password, service and realm, each after its length in two octets. The question is login, realm and
password with NULs between them, in base64. Standard library only; it runs on the relay, by Python 3.11.
"""

import base64
import socket
import struct
import sys

SOCKET = "/run/saslauthd/mux"
PATIENCE = 15  # seconds


def counted(word: bytes) -> bytes:
    """Write a word after its length."""
    return struct.pack("!H", len(word)) + word


def ask(login: bytes, realm: bytes, password: bytes) -> bytes:
    """Ask, and return the answer: OK or NO, and more.

    :raises OSError: when there is none
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.settimeout(PATIENCE)
        server.connect(SOCKET)
        server.sendall(b"".join(map(counted, (login, password, b"smtp", realm))))
        with server.makefile("rb") as heard:
            length = heard.read(2)
            if len(length) < 2:
                raise OSError("it hung up without an answer")
            return heard.read(*struct.unpack("!H", length))


if __name__ == "__main__":
    try:
        print(ask(*base64.b64decode(sys.stdin.readline()).split(b"\0", 2)).decode(errors="replace"), end="")
    except OSError as error:
        sys.exit(error.strerror or str(error))
