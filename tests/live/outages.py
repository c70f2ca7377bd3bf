"""Outages of the hosts that know the passwords, each made there and undone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lab.roles.directory import LAB
from tests.live.remote import Remote

LDAP = (389, 636)
Outage = Callable[[Remote], AbstractContextManager[None]]


@contextmanager
def undone(remote: Remote, script: str, undo: str) -> Iterator[None]:
    """Run a script, and another one at the end."""
    try:
        remote.run(script)
        yield
    finally:
        remote.run(undo)


def stopped(*units: str) -> Outage:
    """Stop services: connections are refused."""
    names = " ".join(units)
    return lambda remote: undone(remote, f"systemctl stop {names}", f"systemctl start {names}")


def silent(*ports: int) -> Outage:
    """Drop every packet to these ports."""
    listed = ", ".join(map(str, ports))
    rules = (
        "nft -f - <<'END'\n"
        "add table inet silence\n"
        "add chain inet silence input { type filter hook input priority -300; }\n"
        f"add rule inet silence input tcp dport {{ {listed} }} drop\nEND"
    )
    return lambda remote: undone(remote, rules, "nft delete table inet silence")


def frozen(unit: str) -> Outage:
    """Have a service accept connections, and never speak on them."""
    kill = f"systemctl kill {unit} --signal"
    return lambda remote: undone(remote, f"{kill}=STOP", f"{kill}=CONT")


def strangers_certificate(remote: Remote) -> AbstractContextManager[None]:
    """Have slapd show a certificate for its own name that nobody has signed, and then its right one again.

    Connections that it has would go on, so it ends them.
    """
    made = (
        "set -e; name=$(hostname -f); cd $(mktemp -d)\n"
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name"
        " -addext subjectAltName=DNS:$name -keyout stranger-key.pem -out stranger.pem 2>&1\n"
        f"chown openldap *.pem; mv *.pem {LAB}\n"
    )
    return undone(remote, f"{made}{_show('stranger', 'stranger-key')}", _show("certificate", "key"))


def _show(certificate: str, key: str) -> str:
    return (
        "ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'END'\n"
        "dn: cn=config\nchangetype: modify\n"
        f"replace: olcTLSCertificateFile\nolcTLSCertificateFile: {LAB}/{certificate}.pem\n-\n"
        f"replace: olcTLSCertificateKeyFile\nolcTLSCertificateKeyFile: {LAB}/{key}.pem\nEND\n"
        "systemctl restart slapd"
    )
