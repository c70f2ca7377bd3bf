"""A milter that adds a header to every message (MILTER_README; libmilter/mfdef.h). Runs on the relay.

python3 milter.py PORT NAME VALUE
"""

import socketserver
import struct
import sys
from typing import Any

PORT, NAME, VALUE = sys.argv[1:] if __name__ == "__main__" else ("0", "", "")
ADDS_HEADERS = 0x01
NEEDS_NOTHING = 0x37F  # neither connection, HELO, envelope, headers, body, nor unknown commands


class Milter(socketserver.BaseRequestHandler):
    """One of smtpd's or cleanup's conversations."""

    def handle(self) -> None:
        """Answer until the other side ends it."""
        while (command := self._command()) not in (b"", b"Q"):
            if command == b"O":
                self._say(b"O" + struct.pack(">III", 6, ADDS_HEADERS, NEEDS_NOTHING))
            elif command == b"E":
                self._say(b"h" + f"{NAME}\0{VALUE}\0".encode())
                self._say(b"c")
            elif command not in (b"D", b"A"):
                self._say(b"c")

    def _command(self) -> bytes:
        length = self._read(4)
        return self._read(int.from_bytes(length, "big"))[:1] if length else b""

    def _read(self, count: int) -> bytes:
        read: bytes = b""
        connection: Any = self.request
        while len(read) < count and (more := connection.recv(count - len(read))):
            read += more
        return read

    def _say(self, text: bytes) -> None:
        self.request.sendall(struct.pack(">I", len(text)) + text)


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer(("127.0.0.1", int(PORT)), Milter).serve_forever()
