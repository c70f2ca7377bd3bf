"""Which certificate a relay's ports show, and whether anybody notices that it changes."""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509

from lab.certificates import Certificate
from tests.support.bed import Account, Relay, TestBed
from tests.support.hammer import Attempts, hammering
from tests.support.smtp import MailProgram

RENEW = "systemctl start quietrelay-certificate"
# The serials that the ports show: one, where all is well.
SERIALS = """
for port in 25 465 587; do
  test $port = 465 && how= || how='-starttls smtp'
  openssl s_client -connect "localhost:$port" $how 2>/dev/null </dev/null | openssl x509 -noout -serial
done | sort -u
"""
UNTIL_SHOWN = """
end=$(($(date +%s) + 60))
while test "$(date +%s)" -lt $end; do
  test "$({serials})" != "{serial}" || exit 0
  sleep 0.2
done
systemctl status quietrelay-certificate quietrelay-certificate.path >&2
exit 1
"""


def put(path: str, text: str) -> str:
    """Write the command that puts a secret text on a host."""
    return f"umask 077; cat >{path} <<'END'\n{text}END\n"


def replace(path: str, text: str) -> str:
    """Write the command that puts a secret text in a file's place in one rename.

    A process of Postfix's that begins while the file is written would have half of it, and offer no TLS.
    """
    return put(f"{path}.beside", text) + f"mv {path}.beside {path}\n"


def serial_of(issued: Certificate) -> str:
    """Write a certificate's serial as openssl-x509(1) does: whole bytes."""
    digits = f"{x509.load_pem_x509_certificate(issued.certificate.encode()).serial_number:X}"
    return f"serial={'0' * (len(digits) % 2)}{digits}"


def wait_until_shown(relay: Relay, issued: Certificate) -> None:
    """Wait until every port shows it."""
    relay.remote.run(UNTIL_SHOWN.format(serials=SERIALS.strip(), serial=serial_of(issued)))


@contextmanager
def people(program: MailProgram, test_bed: TestBed, account: Account) -> Iterator[Attempts]:
    """Have people log in on 465 and 587, of whom nobody is turned away or sees a wrong pair."""
    endpoints = [end for end in test_bed.endpoints if end.takes_logins and end.is_first and end.port != 25]
    with hammering(program, endpoints, account, people=1) as attempts:
        attempts.wait_for(235)
        yield attempts
        attempts.wait_for(235)
    assert set(attempts.codes()) == {235}, attempts.codes()
