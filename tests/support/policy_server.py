"""A web server that tells domains' MTA-STS policies (RFC 8461 3.2), on the host outside."""

import json
from collections.abc import Mapping

from tests.support.bed import TestBed
from tests.support.signed_dns import OUTSIDE, bash

PLACE = "/etc/policies"
PROGRAM = """
import json, ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

with open("PLACE/policies.json") as file:
    POLICIES = json.load(file)


class Policies(BaseHTTPRequestHandler):
    def do_GET(self):
        text = POLICIES.get(self.headers["Host"].partition(":")[0], "").encode()
        self.send_response(200 if text and self.path == "/.well-known/mta-sts.txt" else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def context(name):
    one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    one.load_cert_chain(f"PLACE/{name}.pem")
    return one


def chosen(connection, name, _):
    connection.context = CONTEXTS.get(name, connection.context)


CONTEXTS = {name: context(name) for name in POLICIES}
first = next(iter(CONTEXTS.values()))
first.sni_callback = chosen
server = ThreadingHTTPServer(("0.0.0.0", 443), Policies)
server.socket = first.wrap_socket(server.socket, server_side=True)
server.serve_forever()
""".replace("PLACE", PLACE)
SETUP = f"""
set -e
umask 077
mkdir -p {PLACE}
cat >{PLACE}/serve.py <<'END'
{{program}}
END
cat >{PLACE}/policies.json <<'END'
{{policies}}
END
{{certificates}}
systemctl stop policies 2>/dev/null || true
systemd-run --quiet --collect --unit=policies python3 {PLACE}/serve.py
until (exec 3<>/dev/tcp/127.0.0.1/443) 2>/dev/null; do sleep 0.1; done
"""
TRUST = """
cat >/usr/local/share/ca-certificates/lab.crt <<'END'
{ca}END
update-ca-certificates >/dev/null 2>&1
"""


def start(test_bed: TestBed, exchangers: Mapping[str, str]) -> None:
    """Have domains' policies be enforced, and the relays trust those who say so.

    :param exchangers: by the domain: the server's name that its policy has
    """
    policies = {
        f"mta-sts.{domain}": f"version: STSv1\r\nmode: enforce\r\nmx: {server}\r\nmax_age: 86400\r\n"
        for domain, server in exchangers.items()
    }
    certificates = ""
    for name in policies:
        issued = test_bed.keeper.issue_certificate(name)
        certificates += f"cat >{PLACE}/{name}.pem <<'END'\n{issued.key}{issued.certificate}END\n"
    script = SETUP.format(program=PROGRAM, policies=json.dumps(policies), certificates=certificates)
    test_bed.others["outside"].run(bash(script))
    test_bed.everywhere(TRUST.format(ca=test_bed.keeper.CA_CERTIFICATE.read_text()))


def stop(test_bed: TestBed) -> None:
    """Leave the hosts as they were."""
    test_bed.others["outside"].run(f"systemctl stop policies; rm -r {PLACE}")
    test_bed.everywhere(
        "rm /usr/local/share/ca-certificates/lab.crt; update-ca-certificates --fresh >/dev/null 2>&1"
    )


def records(exchangers: Mapping[str, str]) -> list[str]:
    """Write the records that say that there is a policy."""
    return [
        f'_mta-sts.{domain}. TXT "v=STSv1; id=1;"\nmta-sts.{domain}. A {OUTSIDE.ipv4}'
        for domain in exchangers
    ]
