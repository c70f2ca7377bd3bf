"""One mail, handed in over port 587 as one would type it, with every line shown. Runs on the laptop.

It needs nothing but Python's standard library, since it is sent there over SSH. Standard input holds JSON:
relay, login, password, sender, recipient, subject, and the CA's certificate in PEM.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import sys


def show(side: str, text: str) -> None:
    for line in text.splitlines():
        print(f"  {side} {line}", flush=True)


class Conversation:
    """An SMTP conversation that prints itself."""

    def __init__(self, relay: str, port: int) -> None:
        self.relay = relay
        self.connection: socket.socket = socket.create_connection((relay, port), timeout=20)
        self.replies = self.connection.makefile("rb")

    def listen(self) -> str:
        """Read one reply of one or more lines (RFC 5321 4.2.1), and return its last line."""
        while True:
            line = self.replies.readline().decode(errors="replace").rstrip("\r\n")
            show("S:", line)
            if line[3:4] != "-":
                return line

    def say(self, line: str) -> str:
        """Send a line, and return the reply's last line."""
        show("C:", line)
        self.connection.sendall(f"{line}\r\n".encode())
        return self.listen()

    def encrypt(self, authority: str) -> None:
        """Go on in TLS, once the relay has said 220 to STARTTLS; its certificate has to be right."""
        context = ssl.create_default_context(cadata=authority)
        encrypted = context.wrap_socket(self.connection, server_hostname=self.relay)
        self.connection, self.replies = encrypted, encrypted.makefile("rb")
        show("--", f"{encrypted.version()} from here on; the certificate is {self.relay}'s")


def main(told: dict[str, str]) -> int:
    """Log in and send; the exit status is 0 where the relay took the message."""
    talk = Conversation(told["relay"], 587)
    print("\n1. Before TLS no login is offered:")
    talk.listen()
    talk.say("EHLO laptop.home.test")
    print("\n2. After STARTTLS it is:")
    talk.say("STARTTLS")
    talk.encrypt(told["authority"])
    talk.say("EHLO laptop.home.test")
    line = base64.b64encode(f"\0{told['login']}\0{told['password']}".encode()).decode()
    print(
        f"\n3. The base64 line, printf '\\0%s\\0%s' {told['login']} PASSWORD | base64, is accepted with 235:"
    )
    accepted = talk.say(f"AUTH PLAIN {line}")
    print("\n4. And a message is taken:")
    talk.say(f"MAIL FROM:<{told['sender']}>")
    talk.say(f"RCPT TO:<{told['recipient']}>")
    talk.say("DATA")
    headers = [f"From: {told['sender']}", f"To: {told['recipient']}", f"Subject: {told['subject']}"]
    taken = talk.say("\r\n".join([*headers, "", "Hello from home.", "."]))
    talk.say("QUIT")
    return 0 if accepted.startswith("235") and taken.startswith("250") else 1


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
