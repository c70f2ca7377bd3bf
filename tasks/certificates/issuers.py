"""Whether clients can build a path from a certificate to a CA that they trust (RFC 5280 6.1)."""

import ssl
from collections.abc import Sequence
from functools import cache

from cryptography import x509

from tasks.host import pem


def complain(certificates: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]) -> str:
    """Say what of its chain a certificate lacks.

    :param certificates: what is shown to clients, the relay's own first
    :param trusted: CAs that clients know, public or the operator's own; without any, nobody can tell
    :returns: what is wrong and what to do; nothing where a path ends at one of these, or one that is shown
    """
    last, *others = certificates
    while issuer := next((one for one in others if pem.is_issuer(one, last)), None):
        others.remove(issuer)
        last = issuer
    if not trusted or last.subject == last.issuer or any(pem.is_issuer(one, last) for one in trusted):
        return ""
    return (
        f"lacks the rest of its chain: clients do not know its issuer, {last.issuer.rfc4514_string()}; give "
        "the file with the whole chain (fullchain.pem), or, where that CA is your own, name it with ca="
    )


@cache
def public_cas() -> tuple[x509.Certificate, ...]:
    """Give the CAs that this machine trusts, as all machines do; none where it keeps them elsewhere."""
    return tuple(
        map(x509.load_der_x509_certificate, ssl.create_default_context().get_ca_certs(binary_form=True))
    )
