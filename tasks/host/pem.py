"""Judging certificates and keys, wherever they come from. Everything here is pure."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


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

    :raises ValueError: when the text is no private key, or an encrypted one
    """
    try:
        key = load_pem_private_key(key_pem.encode(), password=None)
    except TypeError:
        raise ValueError("is encrypted; give one without a passphrase, for nobody could type it in") from None
    except Exception:  # cryptography has several; none of them may show the content
        raise ValueError("holds no private key that can be read; give one in PEM") from None
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def complain(
    certificate: x509.Certificate, public_key: str, hostname: str, now: datetime
) -> tuple[str, str] | None:
    """Say what makes a certificate unfit for a relay.

    :param public_key: PEM of the public key that belongs to the relay's private key
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
    if not serves(certificate, hostname):
        names = ", ".join(dns_names(certificate)) or "no host name"
        return "certificate", f"is for {names}, not for {hostname}; get one for that name"
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


def is_due(certificate: str, public_key: str, authority: str, hostname: str, now: datetime) -> bool:
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
    return expiring or not serves(found, hostname) or not _same_key(found, public_key)


def _same_key(certificate: x509.Certificate, public_key: str) -> bool:
    own = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return own.strip() == public_key.strip()
