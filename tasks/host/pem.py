"""Judging certificates and keys, wherever they come from. Everything here is pure."""

import re
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----", re.DOTALL
)


def chain(pem: str) -> list[x509.Certificate]:
    """Read the certificates in a PEM text, the relay's own first.

    :raises ValueError: when there is none, or one is broken
    """
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError("holds no certificate that can be read; give one in PEM") from None


def keys(text: str) -> list[str]:
    """List the private keys in a PEM text, each in the form that OpenSSL reads everywhere (PKCS #8).

    :raises ValueError: when it holds none, an encrypted one, or two of a kind, of which Postfix shows but one
    """
    found = list(dict.fromkeys(map(_written, map(_private_key, _KEY.findall(text) or [text]))))
    kinds = [_kind(load_pem_private_key(one.encode(), password=None)) for one in found]
    if twice := [kind for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]:
        raise ValueError(f"holds two {twice[0]} keys; give one of each kind, each with its certificate")
    return found


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


def _written(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _kind(key: PrivateKeyTypes) -> str:
    """Name the kind of a key; OpenSSL holds one of each (SSL_CTX_use_PrivateKey(3))."""
    kinds: dict[type, str] = {RSAPrivateKey: "RSA", EllipticCurvePrivateKey: "ECDSA"}
    return next((name for kind, name in kinds.items() if isinstance(key, kind)), type(key).__name__)


def key_and_chain(key_pem: str, *certificate_pems: str) -> str:
    """Write what Postfix reads: each key, its own certificate, the rest of its chain (smtpd_tls_chain_files).

    The texts may hold them in any order, and each may hold both; of keys, those of `key_pem` count.

    :raises ValueError: when there is no private key, or no certificate
    """
    certificates = chain("\n".join(certificate_pems))
    return "".join(one + written(in_order(certificates, public_key_of(one))) for one in keys(key_pem))


def written(certificates: Sequence[x509.Certificate]) -> str:
    """Write certificates as OpenSSL reads them, whatever the text had that they came from."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def in_order(certificates: Sequence[x509.Certificate], public_key: str) -> list[x509.Certificate]:
    """Put a key's own certificate first, and behind each the one that issued it (RFC 5246 7.4.2).

    :param public_key: PEM; where no certificate is for it, the first is taken
    :returns: each once; what another key's chain has is left out
    """
    waiting = list(dict.fromkeys(certificates))
    ordered: list[x509.Certificate] = []
    following: x509.Certificate | None
    following = next((one for one in waiting if _same_key(one, public_key)), waiting[0])
    while following:
        waiting.remove(following)
        ordered.append(following)
        following = next((one for one in waiting if is_issuer(one, ordered[-1])), None)
    return ordered


def is_issuer(issuer: x509.Certificate, of: x509.Certificate) -> bool:
    """Tell whether a certificate has signed another (RFC 5280 6.1)."""
    if issuer.subject != of.issuer:
        return False
    try:
        of.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


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


def weakness(certificates: Sequence[x509.Certificate]) -> str:
    """Say which of a chain Debian's OpenSSL does not load (SSL_CTX_set_security_level(3), level 2: 112 bits).

    Postfix would offer no TLS with it, and so no login.

    :returns: what is wrong and what to do; nothing for a chain that is strong enough
    """
    for certificate in certificates:
        key, digest = certificate.public_key(), certificate.signature_hash_algorithm
        whose = certificate.subject.rfc4514_string() or "a certificate without a name"
        if isinstance(key, RSAPublicKey) and key.key_size < 2048:
            return f"has an RSA key of {key.key_size} bits, in {whose}; get one of 2048 bits or more"
        if digest and digest.digest_size * 4 < 112 and certificate.subject != certificate.issuer:
            return f"is signed with {digest.name}, in {whose}; get one that is signed with SHA-256"
    return ""


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


def _same_key(certificate: x509.Certificate, public_key: str) -> bool:
    own = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return own.strip() == public_key.strip()
