"""The first run on a host: another mail server, the operator's own certificate, and eyes on the secrets."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lab.hosts import CA_CERTIFICATE, host_named, issue_certificate, reset
from lab.topology import SERVICE_PASSWORD, Host
from tests.live.deploy import Deploy, Run
from tests.live.landscape import Landscape
from tests.live.smtp import MailProgram
from tests.live.watching import END, on, start_watching

pytestmark = pytest.mark.changes_the_relay

INVENTORY = """
from inventories import lab as _lab
from tasks.settings import CertificateFiles, Relay

_hosts, _data = _lab.relays
relays = (
    [host for host in _hosts if host[0] == {name!r}],
    _data | {{
        "certificate": CertificateFiles(certificate={certificate!r}, key={key!r}),
        "relay": Relay(replace_mail_server={replace}),
    }},
)
"""


@dataclass(frozen=True)
class FirstRun:
    """What became of a host with exim4, first without and then with leave to remove it."""

    relay: Host
    certificate: x509.Certificate
    refused: Run
    left_alone: str
    accepted: Run
    seen: list[str]
    again: Run


@pytest.fixture(scope="module")
def first_run(
    landscape: Landscape,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FirstRun]:
    """Take a relay back to its first state, put exim4 there, and deploy; at the end it is as it was."""
    relay = host_named(landscape.relays[-1].hostname)
    folder = tmp_path_factory.mktemp("operator")
    issued = issue_certificate(relay.name)
    (folder / "relay.pem").write_text(issued.certificate)
    (folder / "relay.key").write_text(issued.key)

    def deploy(replace: bool) -> Deploy:
        inventory = folder / f"replace_{replace}.py".lower()
        inventory.write_text(
            INVENTORY.format(
                name=relay.name,
                certificate=str(folder / "relay.pem"),
                key=str(folder / "relay.key"),
                replace=replace,
            )
        )
        return Deploy(str(inventory), pytestconfig.rootpath)

    def start_anew() -> None:
        reset(relay.name)
        landscape.relays[-1].remote.close()  # its connection leads to a host that is gone
        mail_program.forget(landscape.relays[-1])

    start_anew()
    try:
        on(relay, "sudo apt-get install -q=2 --no-install-recommends exim4-daemon-light >/dev/null 2>&1")
        refused = deploy(replace=False).run()
        left_alone = on(relay, "systemctl is-active exim4; ls -d /etc/postfix 2>&1 || true")
        with_leave = deploy(replace=True)
        watcher = start_watching(relay, [SERVICE_PASSWORD, issued.key.splitlines()[1]])
        accepted = with_leave.run()
        on(relay, f"touch {END}")
        seen = json.loads(watcher.communicate(timeout=60)[0])
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
        yield FirstRun(relay, certificate, refused, left_alone, accepted, seen, with_leave.run())
    finally:
        start_anew()
        Deploy(landscape.inventory, pytestconfig.rootpath).run()


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


@pytest.mark.parametrize("port", [25, 465, 587])
def test_the_relay_shows_the_operators_certificate(
    first_run: FirstRun, landscape: Landscape, port: int
) -> None:
    trust = ssl.create_default_context(cafile=CA_CERTIFICATE)
    connection = landscape.vantage.connect(first_run.relay.ipv4, port, timeout=20)
    if port != 465:
        for line in ("EHLO localhost", "STARTTLS"):
            connection.recv(4096)
            connection.sendall(f"{line}\r\n".encode())
        assert connection.recv(4096).startswith(b"220")
    with trust.wrap_socket(connection, server_hostname=first_run.relay.name) as encrypted:
        shown = encrypted.getpeercert(binary_form=True)
    assert shown == first_run.certificate.public_bytes(Encoding.DER)


def test_nobody_sees_a_secret_while_it_is_put_in_place(first_run: FirstRun) -> None:
    assert first_run.seen == []


def test_the_watcher_sees_a_secret_that_lies_open(first_run: FirstRun) -> None:
    on(first_run.relay, f"rm -f {END}; echo lies-open-here > /tmp/open")
    watcher = start_watching(first_run.relay, ["lies-open-here"])
    on(first_run.relay, f"touch {END}")
    assert json.loads(watcher.communicate(timeout=60)[0]) == ["/tmp/open"]
