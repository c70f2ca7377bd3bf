"""The relay's own CA issues what clients accept, leaks no key, and breaks nothing where it fails."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from pyinfra.api import StringCommand

from tasks.certificates import own_ca
from tasks.host import pem
from tests.unit.examples import HOSTNAME

LONG_NAME = f"{'a' * 63}.{'b' * 63}.example.org"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory whose name has to be quoted, to issue in."""
    directory = tmp_path / "it's tls"
    directory.mkdir()
    return directory


def run(command: StringCommand, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """Run a script as a host does, with the widest umask that it may have."""
    return subprocess.run(
        ["sh", "-c", command.get_raw_value()],
        env={"PATH": path},
        umask=0,
        capture_output=True,
        text=True,
        check=False,
    )


def issue(directory: Path, *names: str, days: int = 90, path: str = os.environ["PATH"]) -> None:
    """Make a CA, and a certificate by it."""
    for command in (
        own_ca.authority(str(directory)),
        own_ca.certificate(str(directory), names or [HOSTNAME], days),
    ):
        assert run(command, path).returncode == 0


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_certificate_is_for_all_names_of_the_service(directory: Path) -> None:
    issue(directory, "smtp.example.org", "mail.example.org")
    relay = (directory / "relay.pem").read_text()
    assert pem.dns_names(pem.chain(relay)[0]) == ["smtp.example.org", "mail.example.org"]


@pytest.mark.parametrize("hostname", [HOSTNAME, LONG_NAME], ids=["short", "long"])
def test_certificate_is_one_that_clients_of_the_ca_accept(directory: Path, hostname: str) -> None:
    issue(directory, hostname)
    ca, relay = str(directory / "ca.pem"), str(directory / "relay.pem")
    arguments = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", hostname, "-CAfile", ca, relay]
    assert subprocess.run(["openssl", "verify", *arguments], capture_output=True, check=False).returncode == 0


def test_what_is_issued_is_what_the_deploy_itself_takes_for_good(directory: Path) -> None:
    issue(directory, days=90)
    relay, ca = (directory / "relay.pem").read_text(), (directory / "ca.pem").read_text()
    now, public_key = datetime.now(UTC), pem.public_key_of(relay)
    assert relay.startswith("-----BEGIN PRIVATE KEY-----")  # postconf(5): the key before its certificate
    assert pem.is_authority(ca, pem.public_key_of((directory / "ca.key").read_text()), now)
    assert not pem.is_due(relay, public_key, ca, [HOSTNAME], now)
    (leaf,) = pem.chain(relay)
    assert pem.dns_names(leaf) == [HOSTNAME]
    assert timedelta(days=89) < leaf.not_valid_after_utc - now <= timedelta(days=90)


def test_ca_signs_no_other_ca(directory: Path) -> None:
    issue(directory)
    for name, is_ca, length in (("ca.pem", True, 0), ("relay.pem", False, None)):
        certificate = pem.chain((directory / name).read_text())[0]
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(is_ca, length))


def test_keys_are_private_from_the_first_byte(directory: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    openssl = tools / "openssl"
    openssl.write_text(f'#!/bin/sh\numask >> "{tmp_path}/umasks"\nexec {shutil.which("openssl")} "$@"\n')
    openssl.chmod(0o755)
    issue(directory, path=f"{tools}:{os.environ['PATH']}")
    assert (tmp_path / "umasks").read_text().split() == ["0077"] * 3
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "relay.pem": 0o600}


def test_renewal_keeps_the_ca_and_makes_a_new_key(directory: Path) -> None:
    issue(directory)
    before = contents(directory)
    assert run(own_ca.certificate(str(directory), HOSTNAME, 90)).returncode == 0
    after = contents(directory)
    assert after["ca.pem"] == before["ca.pem"]
    assert after["ca.key"] == before["ca.key"]
    assert pem.public_key_of(after["relay.pem"].decode()) != pem.public_key_of(before["relay.pem"].decode())


def test_nothing_changes_where_the_certificate_cannot_be_issued(directory: Path) -> None:
    issue(directory)
    (directory / "ca.key").write_text("broken")
    before = contents(directory)
    failed = run(own_ca.certificate(str(directory), HOSTNAME, 90))
    assert failed.returncode != 0
    assert "ca.key" in failed.stderr
    assert contents(directory) == before


def test_nothing_changes_where_openssl_is_missing(directory: Path, tmp_path: Path) -> None:
    issue(directory)
    before = contents(directory)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "mktemp", "rm", "mv", "cat", "chmod"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    for command in (
        own_ca.authority(str(directory)),
        own_ca.certificate(str(directory), HOSTNAME, 90),
    ):
        failed = run(command, path=str(tools))
        assert failed.returncode != 0
        assert "openssl" in failed.stderr
        assert contents(directory) == before
