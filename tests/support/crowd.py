"""Many who log in at the very same moment, straight at saslauthd's socket. Runs on the relay.

Standard input holds a line of JSON: login, password and number of people. The answers are counted: ``OK``,
``NO``, and nothing where the connection was closed without one.
"""

import json
import socket
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

SOCKET = "/run/saslauthd/mux"


def answer(login: str, password: str) -> str:
    """Ask, in the protocol that saslauthd has, and return the first two letters of the answer."""
    strings = [text.encode() for text in (login, password, "smtp", "")]
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(SOCKET)
        asking.sendall(b"".join(len(text).to_bytes(2, "big") + text for text in strings))
        with asking.makefile("rb") as answering:
            return answering.read(4)[2:].decode()


if __name__ == "__main__":
    login, password, people = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(people) as pool:
        print(json.dumps(Counter(pool.map(lambda _: answer(login, password), range(people)))))
