"""One PEM file with key, certificate and chain, as many tools write it: users log in, in whatever order."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.trusting import Trusting

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

INVENTORY = """
import runpy

from tasks import settings

_hosts, _data = runpy.run_path({inventory!r})["relays"]
_one = {{name: {path!r}.format(name=name) for name, _ in _hosts}}
relays = (
    [
        (name, data | {{"certificate": settings.{section}(certificate=_one[name], key=_one[name])}})
        for name, data in _hosts
    ],
    _data,
)
"""
ON_HOST = "/etc/one.pem"
ORDERS = ("key first", "certificate first, indented", "chain first, CR alone")

Pems = Mapping[str, Mapping[Relay, str]]
Install = Callable[[str, str], Run]


@pytest.fixture(scope="module")
def pems(test_bed: TestBed) -> Pems:
    """Have a certificate issued for each relay, and write it with its key and its issuer's in each order."""
    issuer = test_bed.keeper.CA_CERTIFICATE.read_text()
    found: dict[str, dict[Relay, str]] = {order: {} for order in ORDERS}
    for relay in test_bed.relays:
        issued = test_bed.keeper.issue_certificate(relay.hostname)
        certificate_first = issued.certificate + issuer + issued.key
        texts = {
            "key first": issued.key + issued.certificate + issuer,
            "certificate first, indented": "".join(f"  {line}\n" for line in certificate_first.splitlines()),
            "chain first, CR alone": f"{issuer}{issued.key}{issued.certificate}".replace("\n", "\r"),
        }
        for order, text in texts.items():
            found[order][relay] = text
    return found


@pytest.fixture(scope="module")
def install(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Install]:
    """Deploy with one file, which is here or on the hosts; at the end the relays are as they were."""
    inventory = tmp_path_factory.mktemp("operator") / "one.py"
    given = str(Path(test_bed.inventory).resolve())

    def deploy(section: str, path: str) -> Run:
        inventory.write_text(INVENTORY.format(inventory=given, section=section, path=path))
        return Deploy(str(inventory), pytestconfig.rootpath).run()

    yield deploy
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    for relay in test_bed.relays:
        relay.remote.run(f"rm -f {ON_HOST}")
    assert back.status == 0, back.complaint()


def logins(test_bed: TestBed, account: Account) -> dict[tuple[Relay, int], int]:
    """Log in on the ports for users, over TLS with the certificate, and give the replies' codes."""
    program, codes = Trusting(test_bed), {}
    for relay in test_bed.relays:
        for port in (465, 587):
            with program.open_secure(endpoint_of(test_bed, relay, port)) as conversation:
                codes[relay, port] = conversation.log_in_by_plain(account).code
    return codes


@pytest.mark.parametrize("order", ORDERS)
def test_users_log_in_with_one_file_from_here_in_any_order(
    test_bed: TestBed, account: Account, install: Install, pems: Pems, tmp_path: Path, order: str
) -> None:
    for relay, text in pems[order].items():
        (tmp_path / f"{relay.name}.pem").write_text(text)
    deployed = install("CertificateFiles", f"{tmp_path}/{{name}}.pem")
    assert deployed.status == 0, deployed.complaint()
    assert set(logins(test_bed, account).values()) == {235}


@pytest.mark.parametrize("order", ORDERS)
def test_users_log_in_with_one_file_on_the_host_in_any_order(
    test_bed: TestBed, account: Account, install: Install, pems: Pems, order: str
) -> None:
    put(pems[order])
    deployed = install("CertificateOnHost", ON_HOST)
    assert deployed.status == 0, deployed.complaint()
    assert set(logins(test_bed, account).values()) == {235}


def put(texts: Mapping[Relay, str]) -> None:
    """Put each relay's file on it."""
    for relay, text in texts.items():
        relay.remote.run(f"umask 077; cat >{ON_HOST} <<'END'\n{text}\nEND\n")
