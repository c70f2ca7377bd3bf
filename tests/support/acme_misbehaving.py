"""Stands before an ACME server, and passes on what is said, but for one answer. Runs on the host outside.

python3 acme_misbehaving.py limited|elsewhere PORT
"""

import base64
import http.client
import json
import ssl
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLACE = "/etc/acme"
HOW, PORT = sys.argv[1], int(sys.argv[2])
LIMIT = {
    "type": "urn:ietf:params:acme:error:rateLimited",
    "detail": "too many certificates already issued for this set of names",
}


class Misbehaving(BaseHTTPRequestHandler):
    """Passes on; the server behind makes its links with the Host that the client named."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.passed_on(b"")

    def do_HEAD(self) -> None:
        self.passed_on(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if HOW == "limited" and "order-plz" in self.path:
            self.answer(429, {"Content-Type": "application/problem+json"}, json.dumps(LIMIT).encode())
            return
        if HOW == "elsewhere" and "finalize-order" in self.path:
            remember(self.client_address[0], body)
        self.passed_on(body)

    def passed_on(self, body: bytes) -> None:
        context = ssl._create_unverified_context()  # noqa: S323 - it is this host
        behind = http.client.HTTPSConnection("127.0.0.1", 14000, context=context)
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        behind.request(self.command, self.path, body or None, headers)
        response = behind.getresponse()
        text = response.read()
        if HOW == "elsewhere" and "/certZ/" in self.path and response.status == 200:
            text = for_elsewhere(self.client_address[0])
        self.answer(response.status, dict(response.getheaders()), text)

    def answer(self, status: int, headers: dict[str, Any], text: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name not in ("Content-Length", "Connection", "Date", "Transfer-Encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def remember(client: str, body: bytes) -> None:
    """Keep a client's request for a certificate (RFC 8555 7.4)."""
    payload = json.loads(unpadded(json.loads(body)["payload"]))
    with open(f"{PLACE}/{client}.der", "wb") as file:
        file.write(unpadded(payload["csr"]))


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def for_elsewhere(client: str) -> bytes:
    """Issue one for the key that was asked for, and for another name."""
    with open(f"{PLACE}/elsewhere", "w") as file:
        file.write("subjectAltName = DNS:elsewhere.example\n")
    made = ["openssl", "x509", "-req", "-inform", "DER", "-in", f"{PLACE}/{client}.der", "-days", "90"]
    made += ["-CA", f"{PLACE}/other.pem", "-CAkey", f"{PLACE}/other.key", "-CAcreateserial"]
    done = subprocess.run([*made, "-extfile", f"{PLACE}/elsewhere"], capture_output=True, check=True)
    with open(f"{PLACE}/other.pem", "rb") as file:
        return done.stdout + file.read()


if HOW == "elsewhere":
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += [
        "-days",
        "90",
        "-subj",
        "/CN=other",
        "-keyout",
        f"{PLACE}/other.key",
        "-out",
        f"{PLACE}/other.pem",
    ]
    subprocess.run(made, capture_output=True, check=True)
server = ThreadingHTTPServer(("0.0.0.0", PORT), Misbehaving)  # noqa: S104 - the lab's own network
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{PLACE}/server.pem", f"{PLACE}/server.key")
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
