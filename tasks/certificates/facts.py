"""Certificates that lie on a host."""

from collections.abc import Iterable
from typing import TypedDict

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class PairSays(TypedDict):
    """A certificate and the public key of the private key beside it, both PEM; empty where there is none."""

    certificate: str
    public_key: str


class CertificatePair(FactBase[PairSays]):
    """Read a certificate file, and of a key file the public key only: no secret leaves the host."""

    @override
    def command(self, certificate: str, key: str) -> StringCommand:
        # sed(1) finds the first certificate as openssl does, and needs a tenth of the host's time.
        return StringCommand(
            "sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/{p;/^-----END/q}'",
            QuoteString(certificate),
            "2>/dev/null; openssl pkey -pubout -in",
            QuoteString(key),
            "2>/dev/null; true",
        )

    @override
    @staticmethod
    def default() -> PairSays:
        return {"certificate": "", "public_key": ""}

    @override
    def process(self, output: Iterable[str]) -> PairSays:
        text = "\n".join(output) + "\n"
        begin = text.find("-----BEGIN PUBLIC KEY-----")
        end = begin if begin >= 0 else len(text)
        return {"certificate": text[:end], "public_key": text[end:]}
