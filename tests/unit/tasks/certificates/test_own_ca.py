"""The relay's own CA issues what clients accept, leaks no key, and breaks nothing where it fails."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.certificates import new_authority
from tasks.host import pem
from tests.unit.examples import HOSTNAME
from tests.unit.renewing import Host

LONG_NAME = f"{'a' * 63}.{'b' * 63}.example.org"


def issue(directory: Path, *names: str, days: int = 90, path: str = os.environ["PATH"]) -> Host:
    """Make a CA, and a certificate by it."""
    host = Host(directory, "own_ca", list(names or [HOSTNAME]), path=path, DAYS=str(days))
    done = host.renew()
    assert done.returncode == 0, done.stderr
    return host


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


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


def test_what_is_issued_is_what_the_host_takes_for_good(directory: Path) -> None:
    host = issue(directory, days=90)
    relay, ca = (directory / "relay.pem").read_text(), (directory / "ca.pem").read_text()
    assert relay.startswith("-----BEGIN PRIVATE KEY-----")  # postconf(5): the key before its certificate
    assert pem.public_key_of((directory / "ca.key").read_text()) == public_key_in(ca)
    assert host.look() == {"due": [], "unfit": [], "failed": []}
    (leaf,) = pem.chain(relay)
    assert pem.dns_names(leaf) == [HOSTNAME]
    assert timedelta(days=89) < leaf.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=90)


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
    assert set((tmp_path / "umasks").read_text().split()) == {"0077"}
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir() if path.is_file()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "relay.pem": 0o600}


def test_renewal_keeps_the_ca_and_makes_a_new_key(directory: Path) -> None:
    issue(directory, days=90)
    before = contents(directory)
    issue(directory, "mx2.example.org")
    after = contents(directory)
    assert after["ca.pem"] == before["ca.pem"]
    assert after["ca.key"] == before["ca.key"]
    assert pem.public_key_of(after["relay.pem"].decode()) != pem.public_key_of(before["relay.pem"].decode())


def test_ca_that_ends_is_renewed_and_those_who_trust_it_have_a_year_to_notice(directory: Path) -> None:
    old = new_authority(lifetime=timedelta(days=300), name="Mail relays own CA")
    (directory / "ca.pem").write_text(old.certificate)
    (directory / "ca.key").write_text(old.key)
    issue(directory)
    (renewed,) = pem.chain((directory / "ca.pem").read_text())
    assert renewed.not_valid_after_utc - datetime.now(UTC) > timedelta(days=3600)
    (directory / "old.pem").write_text(old.certificate)
    for trusted in ("old.pem", "ca.pem"):
        words = ["-CAfile", str(directory / trusted), str(directory / "relay.pem")]
        subprocess.run(["openssl", "verify", *words], capture_output=True, check=True)


def test_nothing_changes_where_openssl_is_missing(directory: Path, tmp_path: Path) -> None:
    issue(directory)
    before = contents(directory)
    tools = tmp_path / "tools"
    tools.mkdir()
    used = (
        "bash",
        "mktemp",
        "install",
        "flock",
        "rm",
        "mv",
        "cat",
        "chmod",
        "date",
        "mkdir",
        "awk",
        "ls",
        "tr",
        "cut",
        "grep",
        "sed",
    )
    for tool in used:
        (tools / tool).symlink_to(str(shutil.which(tool)))
    failed = Host(directory, "own_ca", ["mx2.example.org"], path=str(tools), DAYS="90").renew()
    assert failed.returncode != 0
    assert "openssl" in failed.stderr
    assert contents(directory) == before


def public_key_in(certificate: str) -> str:
    """Give a certificate's public key, in PEM."""
    public_key = pem.chain(certificate)[0].public_key()
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
