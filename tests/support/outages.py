"""Outages of the hosts that know the passwords, each made there and undone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from lab.roles.directory import IMAP_USERS, LAB
from tests.support.remote import Remote

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


def stopped(listening: Mapping[str, int]) -> Outage:
    """Stop services: connections are refused. They listen again at the end.

    :param listening: unit to the port that it listens on
    """
    units = " ".join(listening)
    listens = "; ".join(
        f"until ss -Hltn sport = :{port} | grep -q .; do sleep 0.1; done" for port in listening.values()
    )
    start = f"systemctl start {units} && timeout 20 sh -c '{listens}'"
    return lambda remote: undone(remote, f"systemctl stop {units}", start)


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
    """Have slapd show a certificate that nobody has signed, and then its right one again.

    Connections that it has would go on, so it ends them.
    """
    stranger = f"{strangers(remote)}chown openldap *.pem; mv *.pem {LAB}\n{_show('stranger', 'stranger-key')}"
    return undone(remote, stranger, _show("certificate", "key"))


def _show(certificate: str, key: str) -> str:
    return (
        "ldapmodify -Q -Y EXTERNAL -H ldapi:/// <<'END'\n"
        "dn: cn=config\nchangetype: modify\n"
        f"replace: olcTLSCertificateFile\nolcTLSCertificateFile: {LAB}/{certificate}.pem\n-\n"
        f"replace: olcTLSCertificateKeyFile\nolcTLSCertificateKeyFile: {LAB}/{key}.pem\nEND\n"
        "systemctl restart slapd"
    )


def strangers_imap_certificate(remote: Remote) -> AbstractContextManager[None]:
    """Have Dovecot show a certificate that nobody has signed, and then its right one again."""
    shown = "sed -i 's#^ssl_{0} = .*#ssl_{0} = </etc/dovecot/{1}.pem#' /etc/dovecot/dovecot.conf\n"

    def show(certificate: str, key: str) -> str:
        return shown.format("cert", certificate) + shown.format("key", key) + "systemctl restart dovecot"

    stranger = f"{strangers(remote)}mv *.pem /etc/dovecot\n{show('stranger', 'stranger-key')}"
    return undone(remote, stranger, show("certificate", "key"))


def imap_without_users(remote: Remote) -> AbstractContextManager[None]:
    """Have Dovecot unable to read whom it knows: it says so, in its answer."""
    again = f"touch {IMAP_USERS}"  # it reads again what is newer
    return undone(remote, f"chmod 600 {IMAP_USERS}; {again}", f"chmod 644 {IMAP_USERS}; {again}")


def strangers(remote: Remote) -> str:
    """Write the commands that make a certificate for the host's own name, signed by itself."""
    return (
        "set -e; cd $(mktemp -d)\n"
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        f" -subj /CN={remote.name} -addext subjectAltName=DNS:{remote.name}"
        " -keyout stranger-key.pem -out stranger.pem 2>&1\n"
    )
