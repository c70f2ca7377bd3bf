"""A relay's own small CA, on the relay."""

from collections.abc import Generator, Sequence
from datetime import UTC, datetime

from pyinfra import host
from pyinfra.api import StringCommand, operation

from tasks.certificates import own_ca
from tasks.certificates.facts import CertificatePair
from tasks.host import pem


@operation()
def issued(directory: str, names: Sequence[str], days: int) -> Generator[StringCommand, None, None]:
    """Have a certificate that the host's own CA issued, made anew in time and for the right name.

    The CA's key never leaves the host; clients are given its certificate, ``ca.pem``.

    + directory: where ``relay.pem``, ``ca.pem`` and ``ca.key`` are; it exists
    + names: those that the certificate is for
    + days: its validity
    """
    authority = host.get_fact(CertificatePair, certificate=f"{directory}/ca.pem", key=f"{directory}/ca.key")
    relay_pem = f"{directory}/relay.pem"
    pair = host.get_fact(CertificatePair, certificate=relay_pem, key=relay_pem)
    now = datetime.now(UTC)
    if not pem.is_authority(authority["certificate"], authority["public_key"], now):
        yield own_ca.authority(directory)
        yield own_ca.certificate(directory, names, days)
    elif pem.is_due(pair["certificate"], pair["public_key"], authority["certificate"], names, now):
        yield own_ca.certificate(directory, names, days)
    else:
        host.noop(f"{relay_pem} is valid and not yet due")
