"""An ACME server elsewhere, pebble, with a name server for DNS-01; before it stands what misbehaves."""

import json
from pathlib import Path

from lab.topology import OUTSIDE_DOMAIN, RELAYS
from tests.support.bed import TestBed

HOST = f"mx.{OUTSIDE_DOMAIN}"
DIRECTORY = f"https://{HOST}:14000/dir"
LIMITED = f"https://{HOST}:14001/dir"
ELSEWHERE = f"https://{HOST}:14002/dir"
NOBODY = f"https://{HOST}:14003/dir"
REFUSED = "refused.example"
DNS_SECRET = "cXVpZXRyZWxheSBsYWIgdHNpZyBzZWNyZXQgb25seSE="
PLACE = "/etc/acme"

PEBBLE = {
    "pebble": {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": f"{PLACE}/server.pem",
        "privateKey": f"{PLACE}/server.key",
        "httpPort": 80,
        "tlsPort": 443,
        "domainBlocklist": [REFUSED],
    }
}
KNOT = f"""
server:
    listen: [ 0.0.0.0@53, ::@53 ]
key:
  - id: acme
    algorithm: hmac-sha256
    secret: {DNS_SECRET}
acl:
  - id: update
    key: acme
    action: update
zone:
  - domain: relay.test
    file: /var/lib/knot/relay.test.zone
    acl: update
"""
ZONE = "\n".join(
    [
        f"$ORIGIN relay.test.\n$TTL 1\n@ SOA {HOST}. nobody.{OUTSIDE_DOMAIN}. 1 60 60 600 1\n@ NS {HOST}.",
        *(f"{host.short} A {host.ipv4}\n{host.short} AAAA {host.ipv6}" for host in RELAYS),
        "",
    ]
)
SETUP = """
set -e
export DEBIAN_FRONTEND=noninteractive
install() {{ apt-get -qq install --no-install-recommends pebble knot >/dev/null 2>&1; }}
command -v pebble knotc >/dev/null || install || {{ apt-get -qq update && install; }}
mkdir -p {place}
cat >{place}/pebble.json <<'END'
{pebble}
END
cat >{place}/server.pem <<'END'
{certificate}END
(umask 077; cat >{place}/server.key) <<'END'
{key}END
cat >{place}/misbehave.py <<'END'
{misbehaving}END
cat >/var/lib/knot/relay.test.zone <<'END'
{zone}END
cat >/etc/knot/knot.conf <<'END'
{knot}END
chown knot: /etc/knot/knot.conf /var/lib/knot/relay.test.zone
systemctl restart knot
systemctl stop acme-\\* 2>/dev/null || true
run() {{
  unit=$1
  shift
  systemd-run --quiet --collect --unit="$unit" -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 "$@"
}}
run acme-pebble pebble -config {place}/pebble.json -dnsserver 127.0.0.1:53
run acme-limited python3 {place}/misbehave.py limited 14001
run acme-elsewhere python3 {place}/misbehave.py elsewhere 14002
for port in 14000 14001 14002 15000 53; do
  until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.1; done
done
python3 - <<'END'
import ssl, urllib.request
context = ssl._create_unverified_context()
print(urllib.request.urlopen("https://127.0.0.1:15000/roots/0", context=context).read().decode())
END
"""


def start(test_bed: TestBed) -> str:
    """Have all of it run on the host outside.

    :returns: the CAs that the server's users trust, PEM
    """
    issued = test_bed.keeper.issue_certificate(HOST)
    root = test_bed.others["outside"].run(
        "bash <<'OUTER'\n"
        + SETUP.format(
            place=PLACE,
            pebble=json.dumps(PEBBLE),
            certificate=issued.certificate,
            key=issued.key,
            misbehaving=Path(__file__).with_name("acme_misbehaving.py").read_text(),
            zone=ZONE,
            knot=KNOT,
        )
        + "\nOUTER"
    )
    return test_bed.keeper.CA_CERTIFICATE.read_text() + root


def stop(test_bed: TestBed) -> None:
    """Leave the host as it was, but for two packages."""
    test_bed.others["outside"].run(f"systemctl stop acme-\\* knot; rm -r {PLACE}")
