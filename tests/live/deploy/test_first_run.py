"""The first run on a host: another mail server, the operator's own certificate, and eyes on the secrets.

And the first run on a host that has just booted.
"""

import shlex
import ssl
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lab.topology import SERVICE_PASSWORD
from tests.support.bed import Relay, TestBed
from tests.support.client_host import PORTS
from tests.support.deploy import Deploy, Run, vary
from tests.support.smtp import MailProgram
from tests.support.watching import watching

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

# Locks as apt, dpkg and debconf take them, held until a run has come upon them; and a package that was not
# configured when the host went down, with what dpkg had noted of it.
LOCKS = [
    *("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock"),
    "/var/cache/debconf/config.dat",
]
BUSY = f"""
import fcntl, subprocess, time
held = [open(path, "a") for path in {LOCKS}]
for file in held:
    fcntl.lockf(file, fcntl.LOCK_EX)
open("/run/busy", "w").close()
end = time.monotonic() + 60
waits = "pgrep -x sleep -P $(pgrep -d, -f '[a]pt.sh 300')"  # between two attempts
while subprocess.run(waits, shell=True, capture_output=True).returncode and time.monotonic() < end:
    time.sleep(0.1)
"""
INTERRUPTED = """
cd /tmp && apt-get download -q=2 bc && dpkg --unpack bc_*.deb >/dev/null && rm bc_*.deb
dpkg-query -s bc > /var/lib/dpkg/updates/0000
"""

OPERATORS = """
"certificate": settings.CertificateFiles(certificate={certificate!r}, key={key!r}),
"relay": settings.Relay(replace_mail_server={replace}),
"""


@dataclass(frozen=True)
class FirstRun:
    """What became of a host with exim4, without and then with leave to remove it, and of one just booted."""

    relay: Relay
    certificate: bytes
    refused: Run
    left_alone: str
    packages: str
    """What became of some."""
    accepted: Run
    seen: list[str]
    again: Run
    shown: dict[int, bytes | None]
    """Certificate by port."""
    seen_in_the_open: list[str]
    just_booted: Run


@pytest.fixture(scope="module")
def first_run(
    test_bed: TestBed,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> FirstRun:
    """Take a relay back to its first state, put exim4 there, deploy and look; at the end it is as it was."""
    relay, keeper = test_bed.relays[-1], test_bed.keeper
    folder = tmp_path_factory.mktemp("operator")
    issued = keeper.issue_certificate(relay.hostname)
    (folder / "relay.pem").write_text(issued.certificate + keeper.CA_CERTIFICATE.read_text())
    (folder / "relay.key").write_text(issued.key)

    def deploy(replace: bool) -> Deploy:
        data = OPERATORS.format(
            certificate=str(folder / "relay.pem"), key=str(folder / "relay.key"), replace=replace
        )
        copy = folder / f"replace_{replace}.py".lower()
        return Deploy(vary(test_bed.inventory, copy, data, [relay.name]), pytestconfig.rootpath)

    def start_anew() -> None:
        keeper.reset(relay.name)
        relay.remote.close()  # its connection leads to a host that is gone
        mail_program.forget(relay)

    start_anew()
    try:
        others = "exim4-daemon-light bsd-mailx"
        relay.remote.run(f"apt-get install -q=2 --no-install-recommends {others} >/dev/null 2>&1")
        refused = deploy(replace=False).run()
        left_alone = relay.remote.run("systemctl is-active exim4; ls -d /etc/postfix 2>&1 || true")
        with_leave = deploy(replace=True)
        relay.remote.run(INTERRUPTED)
        relay.remote.run(f"systemd-run -q --unit=busy python3 -c {shlex.quote(BUSY)}")
        relay.remote.run("timeout 10 sh -c 'until [ -e /run/busy ]; do sleep 0.1; done'")
        with watching(relay, [SERVICE_PASSWORD, issued.key.splitlines()[1]]) as seen:
            accepted = with_leave.run()
        packages = relay.remote.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Abbrev}}\n' bc {others}")
        again = with_leave.run()
        shown = {port: shown_certificate(test_bed, relay, port) for port in PORTS}
        relay.remote.run("echo lies-open-here > /tmp/open")
        with watching(relay, ["lies-open-here"]) as seen_in_the_open:
            pass
    finally:
        start_anew()
        keeper.restart(relay.name)
        relay.remote.close()
        just_booted = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode()).public_bytes(Encoding.DER)
    return FirstRun(
        relay,
        certificate,
        refused,
        left_alone,
        packages,
        accepted,
        seen,
        again,
        shown,
        seen_in_the_open,
        just_booted,
    )


def shown_certificate(test_bed: TestBed, relay: Relay, port: int) -> bytes | None:
    """Connect as a client that trusts nobody but the operator's CA, and return what the relay shows."""
    trust = ssl.create_default_context(cafile=test_bed.keeper.CA_CERTIFICATE)
    connection = test_bed.client_host.connect(relay.addresses["IPv4"], port, timeout=20)
    if port != 465:
        for line in ("EHLO localhost", "STARTTLS"):
            connection.recv(4096)
            connection.sendall(f"{line}\r\n".encode())
        assert connection.recv(4096).startswith(b"220")
    with trust.wrap_socket(connection, server_hostname=relay.hostname) as encrypted:
        return encrypted.getpeercert(binary_form=True)


def test_a_host_with_another_mail_server_is_refused_in_one_line_and_left_alone(first_run: FirstRun) -> None:
    assert first_run.refused.status != 0
    (line,) = [line for line in first_run.refused.errors.splitlines() if "error" in line]
    for word in ("replace_false.py", first_run.relay.name, "exim4-daemon-light", "replace_mail_server=True"):
        assert word in line
    assert first_run.left_alone.startswith("active\n")
    assert "No such file" in first_run.left_alone


def test_another_mail_server_is_replaced_where_the_inventory_allows_it(first_run: FirstRun) -> None:
    assert first_run.accepted.status == 0, first_run.accepted.complaint()
    assert first_run.accepted.failed == {}
    assert first_run.again.changed == {}


def test_nothing_goes_but_the_other_mail_server(first_run: FirstRun) -> None:
    assert "bsd-mailx ii" in first_run.packages
    assert "exim4-daemon-light ii" not in first_run.packages


def test_a_run_waits_for_others_and_finishes_what_dpkg_was_kept_from_finishing(first_run: FirstRun) -> None:
    # The locks are let go of when the run waits for them.
    assert first_run.accepted.status == 0, first_run.accepted.complaint()
    assert "bc ii" in first_run.packages
    assert "Packages | Wait until packages can be installed" in first_run.accepted.changed


@pytest.mark.parametrize("port", PORTS)
def test_the_relay_shows_the_operators_certificate(first_run: FirstRun, port: int) -> None:
    assert first_run.shown[port] == first_run.certificate


def test_nobody_sees_a_secret_while_it_is_put_in_place(first_run: FirstRun) -> None:
    assert first_run.seen == []


def test_the_watcher_sees_a_secret_that_lies_open(first_run: FirstRun) -> None:
    assert first_run.seen_in_the_open == ["/tmp/open"]


def test_a_host_that_has_just_booted_can_be_deployed_at_once(first_run: FirstRun) -> None:
    assert first_run.just_booted.status == 0, first_run.just_booted.complaint()
    assert first_run.just_booted.failed == {}
    installed = "Packages | Install Postfix, what checks passwords, and telnet-ssl"
    assert installed in first_run.just_booted.changed
