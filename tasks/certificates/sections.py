"""Where the certificate comes from: a section for each source, of which an inventory names one."""

from typing import Annotated

from pydantic import Field

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import HostPath, OperatorPath


class CertificateFiles(Section):
    """Certificate and key from files on the operator's machine."""

    certificate: Annotated[OperatorPath, Becomes("smtpd_tls_chain_files")]
    """PEM file on your machine: the relay's certificate, and the chain too if it is in the same file."""

    key: Annotated[OperatorPath, Becomes("smtpd_tls_chain_files")]
    """PEM file on your machine: the certificate's key, not encrypted."""

    chain: Annotated[OperatorPath | None, Becomes("smtpd_tls_chain_files")] = None
    """PEM file on your machine: intermediate certificates."""

    ca: Annotated[OperatorPath | None, Becomes("verification")] = None
    """PEM file on your machine: the CA, where it is your own and users have been told to trust it."""


class CertificateOnHost(Section):
    """Certificate and key that something else keeps on the host, certbot say."""

    certificate: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: certificate and chain (`fullchain.pem`)."""

    key: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: the key (`privkey.pem`)."""

    ca: Annotated[OperatorPath | None, Becomes("verification")] = None
    """PEM file on your machine: the CA, where it is your own and users have been told to trust it."""


class OwnCa(Section):
    """A certificate that a small CA on the host itself issues; clients must be told to trust that CA."""

    days: Annotated[int, Field(ge=2, le=366), Becomes("openssl x509 -days")] = 365
    """Days for which a certificate is issued; a run in its last 30 days (or last third) issues a new one."""


Certificate = CertificateFiles | CertificateOnHost | OwnCa
