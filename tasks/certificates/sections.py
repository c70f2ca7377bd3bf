"""Where the certificate comes from: a section for each source, of which an inventory names one."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Email, HostPath, HttpsUrl, Line, OperatorPath


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
    """Certificate and key that something else keeps and renews on the host, certbot say."""

    certificate: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: certificate and chain (`fullchain.pem`)."""

    key: Annotated[HostPath, Becomes("smtpd_tls_chain_files")]
    """Path on the host: the key (`privkey.pem`)."""

    ca: Annotated[OperatorPath | None, Becomes("verification")] = None
    """PEM file on your machine: the CA, where it is your own and users have been told to trust it."""


class OwnCa(Section):
    """A certificate that a small CA on the host itself issues; clients must be told to trust that CA."""

    days: Annotated[int, Field(ge=2, le=366), Becomes("openssl x509 -days")] = 365
    """Days for which a certificate is issued; in its last 30 days (or third) the host issues a new one."""


class Acme(Section):
    """A certificate that an ACME server issues (RFC 8555), as Let's Encrypt; you agree to its terms."""

    email: Annotated[Email, Becomes("lego --email")]
    """Address of the account, for which the server may have news."""

    directory: Annotated[HttpsUrl, Becomes("lego --server")] = (
        "https://acme-v02.api.letsencrypt.org/directory"
    )
    """URL of the server's directory."""

    challenge: Annotated[Literal["http", "dns"], Becomes("lego --http, --dns")] = "http"
    """How names are proven: the server fetches a file from the relay's port 80, or finds a record in DNS."""

    webroot: Annotated[HostPath | None, Becomes("lego --http.webroot")] = None
    """Directory on the host that a web server shows on port 80; without one the host answers there itself,
    and lets port 80 in, for as long as it asks."""

    dns_server: Annotated[Line | None, Becomes("RFC2136_NAMESERVER")] = None
    """Name server that takes records by dynamic update (RFC 2136): `ns1.example.org`, `192.0.2.53:5353`."""

    dns_key: Annotated[Line | None, Becomes("RFC2136_TSIG_KEY")] = None
    """Name of the key with which updates are signed (RFC 8945)."""

    dns_key_algorithm: Annotated[
        Literal["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"],
        Becomes("RFC2136_TSIG_ALGORITHM"),
    ] = "hmac-sha256"
    """The key's algorithm."""

    dns_key_file: Annotated[OperatorPath | None, Becomes("RFC2136_TSIG_SECRET_FILE")] = None
    """File on your machine, whose first line is the key's secret, in base64."""

    key_types: Annotated[tuple[Literal["ecdsa", "rsa"], ...], Becomes("smtpd_tls_chain_files")] = ("ecdsa",)
    """Kinds of keys, a certificate each; `["ecdsa", "rsa"]` also serves devices that know RSA alone."""

    if_unavailable: Annotated[Literal["own_ca", "refuse"], Becomes("smtpd_tls_chain_files")] = "own_ca"
    """Where there is no certificate yet and none can be had: come up with one by the host's own CA, and say
    so; or refuse, and change nothing."""

    ca: Annotated[OperatorPath | None, Becomes("LEGO_CA_CERTIFICATES")] = None
    """PEM file on your machine: CAs of a server that is not public: of what it issues, and of itself."""

    @model_validator(mode="after")
    def _has_what_its_challenge_needs(self) -> Self:
        of_dns = (self.dns_server, self.dns_key, self.dns_key_file)
        if self.challenge == "dns" and not all(of_dns):
            raise ValueError("challenge 'dns' needs dns_server, dns_key and dns_key_file; give all three")
        if self.challenge == "http" and any(of_dns):
            raise ValueError(
                "dns_server, dns_key and dns_key_file belong to challenge='dns'; add that, or drop them"
            )
        if self.challenge == "dns" and self.webroot:
            raise ValueError("webroot belongs to challenge='http'; add that, or drop it")
        if not self.key_types or len({*self.key_types}) < len(self.key_types):
            raise ValueError("key_types names each kind once; write ['ecdsa'], ['rsa'] or ['ecdsa', 'rsa']")
        return self


Certificate = CertificateFiles | CertificateOnHost | OwnCa | Acme
