"""Judging certificates and keys, wherever they come from. Everything here is pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

# What Postfix loads of a PEM file, by label; all else it ignores (load_pem_object in its tls_certkey.c).
KEYS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"})
CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})


def chain(pem: str) -> list[x509.Certificate]:
    """Read the certificates in a PEM text, the relay's own first.

    :raises ValueError: when there is none, or one is broken
    """
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError("holds no certificate that can be read; give one in PEM") from None


def public_key_of(key_pem: str) -> str:
    """Derive the public key of a private one, as PEM.

    :raises ValueError: when the text holds no private key, or an encrypted one
    """
    public_key = _private_key(key_pem).public_key()
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _private_key(key_pem: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(key_pem.encode(), password=None)
    except TypeError:
        raise ValueError("is encrypted; give one without a passphrase, for nobody could type it in") from None
    except Exception:  # cryptography has several; none of them may show the content
        raise ValueError("holds no private key that can be read; give one in PEM") from None


def key_and_chain(key_pem: str, *certificate_pems: str) -> str:
    """Write what Postfix reads: a key, its own certificate, the rest of the chain (smtpd_tls_chain_files).

    The texts may hold them in any order, and each may hold both; of keys, the first of `key_pem` counts.

    :raises ValueError: when there is no private key, or no certificate
    """
    key = _private_key(key_pem)
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificates = in_order(chain("\n".join(certificate_pems)), public_key_of(key_pem))
    return written + "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def in_order(certificates: Sequence[x509.Certificate], public_key: str) -> list[x509.Certificate]:
    """Put a key's own certificate first, and behind each the one that issued it (RFC 5246 7.4.2).

    :param public_key: PEM; where no certificate is for it, the first stays so
    :returns: each once; those that belong to nobody last
    """
    waiting = list(dict.fromkeys(certificates))
    ordered: list[x509.Certificate] = []
    following: x509.Certificate | None
    following = next((one for one in waiting if _same_key(one, public_key)), waiting[0])
    while following:
        waiting.remove(following)
        ordered.append(following)
        following = next((one for one in waiting if one.subject == ordered[-1].issuer), None)
    return ordered + waiting


def is_key_first(labels: Iterable[str]) -> bool:
    """Tell whether Postfix can load files: each key stands before its certificate and the rest of its chain.

    :param labels: of the files' PEM blocks, as they follow each other: ``PRIVATE KEY``, ``CERTIFICATE``
    """
    kinds = ("K" if label in KEYS else "C" if label in CERTIFICATES else "" for label in labels)
    return re.fullmatch("(KC+)+", "".join(kinds)) is not None


def complain(
    certificate: x509.Certificate, public_key: str, names: Sequence[str], now: datetime
) -> tuple[str, str] | None:
    """Say what makes a certificate unfit for a relay.

    :param public_key: PEM of the public key that belongs to the relay's private key
    :param names: by which users reach the relay
    :param now: aware, UTC
    :returns: ``"certificate"`` or ``"key"``, and what is wrong with it and what to do; None for a fit pair
    """
    if now > certificate.not_valid_after_utc:
        return "certificate", f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it"
    if now < certificate.not_valid_before_utc:
        return (
            "certificate",
            f"is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}; check the clock",
        )
    if missing := [name for name in names if not serves(certificate, name)]:
        found = ", ".join(dns_names(certificate)) or "no host name"
        return "certificate", (
            f"is for {found}, not for {', '.join(missing)}; get one for that name, or say by which name "
            "users reach the relay, in Relay(service_names=...)"
        )
    if not _same_key(certificate, public_key):
        return "key", "does not belong to the certificate; give the key that it was requested with"
    return None


def dns_names(certificate: x509.Certificate) -> list[str]:
    """List the host names that a certificate is for (RFC 6125: the subject's CN no longer counts)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def serves(certificate: x509.Certificate, hostname: str) -> bool:
    """Tell whether a certificate is for a host, by name or by a wildcard for its leftmost label."""
    accepted = {hostname.lower(), "*." + hostname.lower().partition(".")[2]}
    return any(name.lower() in accepted for name in dns_names(certificate))


def is_authority(certificate: str, public_key: str, now: datetime) -> bool:
    """Tell whether a CA's certificate and key, both PEM, are there, belong together and outlive a year."""
    try:
        found = chain(certificate)[0]
    except ValueError:
        return False
    return _same_key(found, public_key) and now + timedelta(days=366) < found.not_valid_after_utc


def is_due(certificate: str, public_key: str, authority: str, names: Sequence[str], now: datetime) -> bool:
    """Tell whether our own CA has to issue anew.

    That is where the pair is missing, broken, for another name or from another CA, and from the last 30 days
    (of a short validity: the last third) on.
    """
    try:
        found = chain(certificate)[0]
        found.verify_directly_issued_by(chain(authority)[0])
    except (ValueError, InvalidSignature):
        return True
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    expiring = end - now < min(timedelta(days=30), (end - begin) / 3)
    served = all(serves(found, name) for name in names)
    return expiring or not served or not _same_key(found, public_key)


def _same_key(certificate: x509.Certificate, public_key: str) -> bool:
    own = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return own.strip() == public_key.strip()
