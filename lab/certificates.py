"""The lab's certificate authority. Hosts of the lab and tests get their certificates from it.

`state` is the directory in which a running lab keeps it: containers and VMs have each their own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.paths import CA_CERTIFICATE, CA_KEY, CERTIFICATES, STATE
from lab.topology import Host

AUTHORITY_NAME = "quietrelay lab CA"
LIFETIME = timedelta(days=365)
CLOCKS_DIFFER = timedelta(hours=1)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Certificate(NamedTuple):
    """A certificate and its private key, both in PEM."""

    certificate: str
    key: str


def new_authority(lifetime: timedelta = LIFETIME, name: str = AUTHORITY_NAME) -> Certificate:
    """A self-signed authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return _pem(builder.sign(key, hashes.SHA256()), key)


def issue(
    authority: Certificate,
    name: str,
    *addresses: str,
    lifetime: timedelta = LIFETIME,
    age: timedelta = CLOCKS_DIFFER,
    key: Key | None = None,
) -> Certificate:
    """A server certificate signed by the authority.

    + name: host name, as common name and alternative name
    + addresses: further alternative names, IPv4 or IPv6
    + lifetime: from now on; negative for a certificate that has expired
    + age: how long ago it began
    + key: the server's; by default a new one, for ECDSA
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = serialization.load_pem_private_key(authority.key.encode(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    names += [x509.IPAddress(ip_address(address)) for address in addresses]
    builder = _builder(_name(name), issuer.subject, key.public_key(), lifetime, age)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return _pem(builder.sign(signer, hashes.SHA256()), key)


def ensure_authority(state: Path = STATE) -> Certificate:
    """The authority of the running lab, made if there is none."""
    path, key_path = state / CA_CERTIFICATE.name, state / CA_KEY.name
    if not path.exists():
        authority = new_authority()
        _write_private(key_path, authority.key)
        path.write_text(authority.certificate)  # last: where it is, the key is
    return Certificate(path.read_text(), key_path.read_text())


def ensure_certificate(host: Host, state: Path = STATE) -> Certificate:
    """A host's certificate, issued once in a lab's life: recreated hosts keep theirs."""
    directory = state / CERTIFICATES.name
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, key_path = directory / f"{host.short}.pem", directory / f"{host.short}.key"
    if not path.exists():
        issued = issue(ensure_authority(state), host.name, host.ipv4, host.ipv6)
        _write_private(key_path, issued.key)
        path.write_text(issued.certificate)
    return Certificate(path.read_text(), key_path.read_text())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    lifetime: timedelta,
    age: timedelta = CLOCKS_DIFFER,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    start = min(now - age, now + lifetime - CLOCKS_DIFFER)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(now + lifetime)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate, key: Key) -> Certificate:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
