"""A certificate on a host is judged without its key leaving the host."""

import subprocess
from pathlib import Path

import pytest

from lab.certificates import Certificate
from tasks.certificates.facts import CertificatePair, PairSays
from tasks.host import pem


def ask(certificate: Path, key: Path) -> PairSays:
    """Ask this machine as pyinfra asks a host: no output stands for the default."""
    command = CertificatePair().command(certificate=str(certificate), key=str(key)).get_raw_value()
    output = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    return CertificatePair().process(output.splitlines()) if output else CertificatePair.default()


@pytest.fixture
def paths(tmp_path: Path, pair: Certificate) -> tuple[Path, Path]:
    """A certificate and its key."""
    certificate, key = tmp_path / "the relay's.pem", tmp_path / "the relay's.key"
    certificate.write_text(pair.certificate)
    key.write_text(pair.key)
    return certificate, key


def test_pair_is_told_but_for_its_secret(paths: tuple[Path, Path], pair: Certificate) -> None:
    assert ask(*paths) == {"certificate": pair.certificate, "public_key": pem.public_key_of(pair.key)}


def test_certificate_and_key_may_share_a_file(tmp_path: Path, pair: Certificate) -> None:
    both = tmp_path / "relay.pem"
    both.write_text(pair.key + pair.certificate)
    assert ask(both, both) == {"certificate": pair.certificate, "public_key": pem.public_key_of(pair.key)}


def test_what_is_missing_is_empty(paths: tuple[Path, Path], pair: Certificate, tmp_path: Path) -> None:
    certificate, key = paths
    nothing = tmp_path / "nothing"
    assert ask(nothing, nothing) == {"certificate": "", "public_key": ""}
    assert ask(certificate, nothing) == {"certificate": pair.certificate, "public_key": ""}
    assert ask(nothing, key) == {"certificate": "", "public_key": pem.public_key_of(pair.key)}


def test_broken_key_is_no_key(paths: tuple[Path, Path], pair: Certificate) -> None:
    certificate, key = paths
    key.write_text(pair.certificate)
    assert ask(certificate, key) == {"certificate": pair.certificate, "public_key": ""}
