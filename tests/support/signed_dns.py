"""A signed root of the DNS on the host outside, and on each relay a resolver that validates.

Names are the lab's, and those of the domains that a test receives mail for. One zone is signed wrongly, under
the name by which everybody tries that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.topology import HOSTS, host_named
from tests.support.bed import TestBed

OUTSIDE = host_named("mx.outside.test")
PORT = 5300
PLACE = "/etc/signed-dns"
BEFORE = "/etc/resolv.conf.before"

KNOT = f"""
server:
    listen: 0.0.0.0@{PORT}
    rundir: {PLACE}
database:
    storage: {PLACE}
policy:
  - id: one-key
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: {PLACE}
    file: "%s.zone"
    dnssec-signing: on
    dnssec-policy: one-key
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: .
    file: root.zone
  - domain: dnssec-failed.org
"""
# The DS is nobody's.
ROOT = f"""\
$TTL 1
. SOA ns.test. nobody.test. 1 60 60 600 1
. NS ns.test.
ns.test. A {OUTSIDE.ipv4}
dnssec-failed.org. NS ns.test.
dnssec-failed.org. DS 1 13 2 {"00" * 32}
"""
FAILED = f"""\
$TTL 1
@ SOA ns.test. nobody.test. 1 60 60 600 1
@ NS ns.test.
@ A {OUTSIDE.ipv4}
"""
SETUP = f"""
set -e
export DEBIAN_FRONTEND=noninteractive
command -v knotd >/dev/null || apt-get -qq install --no-install-recommends knot >/dev/null 2>&1
mkdir -p {PLACE}
echo '{{root}}' >{PLACE}/root.zone
echo '{FAILED}' >{PLACE}/dnssec-failed.org.zone
echo '{KNOT}' >{PLACE}/knot.conf
chown -R knot: {PLACE}
systemctl stop signed-dns 2>/dev/null || true
systemd-run --quiet --collect --unit=signed-dns -p User=knot knotd -c {PLACE}/knot.conf
until (exec 3<>/dev/tcp/127.0.0.1/{PORT}) 2>/dev/null; do sleep 0.1; done
keymgr -c {PLACE}/knot.conf . ds | grep ' 13 2 '
"""
UNBOUND = f"""
server:
    interface: 127.0.0.1
    trust-anchor: "{{anchor}}"
    local-zone: "test." nodefault
    val-permissive-mode: {{permissive}}
stub-zone:
    name: "."
    stub-addr: {OUTSIDE.ipv4}@{PORT}
"""
RESOLVER = f"""
set -e
export DEBIAN_FRONTEND=noninteractive
command -v unbound >/dev/null || apt-get -qq install --no-install-recommends unbound >/dev/null 2>&1
echo '{{configuration}}' >/etc/unbound/unbound.conf
systemctl reset-failed unbound 2>/dev/null || true  # it was started before
systemctl restart unbound
test -e {BEFORE} || cp /etc/resolv.conf {BEFORE}
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
systemctl restart postfix
"""
BACK = f"""
systemctl disable --quiet --now unbound
test ! -e {BEFORE} || mv {BEFORE} /etc/resolv.conf
systemctl restart postfix
"""


@dataclass(frozen=True)
class SignedDns:
    """It, running."""

    test_bed: TestBed
    anchor: str
    """The root's key, as a DS record."""

    def resolve(self, permissive: bool = False) -> None:
        """Have the relays ask a resolver of their own.

        :param permissive: whether it only marks what is signed rightly, and gives the rest as well
        """
        configuration = UNBOUND.format(anchor=self.anchor, permissive="yes" if permissive else "no")
        self.test_bed.everywhere(bash(RESOLVER.format(configuration=configuration)))

    def stop(self) -> None:
        """Have the relays ask whom they asked before."""
        self.test_bed.everywhere(BACK)
        self.test_bed.others["outside"].run(f"systemctl stop signed-dns; rm -r {PLACE}")


def start(test_bed: TestBed, records: Iterable[str]) -> SignedDns:
    """Publish the lab's hosts, and more.

    :param records: as a zone's file has them, with full names
    """
    addresses = [f"{host.name}. A {host.ipv4}\n{host.name}. AAAA {host.ipv6}" for host in HOSTS]
    root = "\n".join([ROOT, *addresses, *records, ""])
    anchor = test_bed.others["outside"].run(bash(SETUP.format(root=root))).strip()
    return SignedDns(test_bed, anchor)


def mail_domains(domains: Mapping[str, str]) -> list[str]:
    """Write the records of domains whose mail the host outside receives.

    :param domains: by their name: the TLSA record of their exchanger, without the name; empty for none
    """
    records = [f"{name}. MX 10 mx.{name}.\nmx.{name}. A {OUTSIDE.ipv4}" for name in domains]
    return records + [f"_25._tcp.mx.{name}. TLSA {tlsa}" for name, tlsa in domains.items() if tlsa]


def bash(script: str) -> str:
    """Write a script of bash for a shell that is not."""
    return f"bash <<'OUTER'\n{script}\nOUTER"
