"""Certificates: what the relay shows to those who connect."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from pydantic import SecretStr

from tasks.certificates import operations
from tasks.certificates.facts import CertificatePair
from tasks.certificates.sections import Certificate, CertificateFiles, CertificateOnHost, OwnCa
from tasks.host import pem
from tasks.inventory.operator_files import OperatorFileError, read
from tasks.part import Ask, Directory, File, Made, Part
from tasks.postfix.configuration import Configuration

DIRECTORY = "/etc/postfix/tls"
RELAY_PEM = f"{DIRECTORY}/relay.pem"
CA_PEM = f"{DIRECTORY}/ca.pem"
CA_KEY = f"{DIRECTORY}/ca.key"

T = TypeVar("T")


def part(certificate: Certificate, hostname: str) -> Part:
    """Have a certificate, its chain and its key where Postfix reads them (smtpd_tls_chain_files).

    :param hostname: the relay's fully qualified name, which the certificate has to be for
    """
    match certificate:
        case CertificateFiles():
            return _from_files(certificate, hostname)
        case CertificateOnHost():
            return _on_host(certificate, hostname)
        case OwnCa():
            return _from_own_ca(certificate, hostname)


def _shown(*paths: str) -> Configuration:
    """Have Postfix show what these files hold, each key before its certificate."""
    return Configuration(
        parameters={
            "smtpd_tls_chain_files": ", ".join(paths),
            # What Debian and old guides set; smtpd_tls_chain_files replaces them.
            "smtpd_tls_cert_file": None,
            "smtpd_tls_key_file": None,
        }
    )


def _from_files(certificate: CertificateFiles, hostname: str) -> Part:
    title = f"Put the certificate and its key in {RELAY_PEM}"
    return Part(
        directories={DIRECTORY: Directory()},
        files={RELAY_PEM: File(partial(_bundle, certificate, hostname), mode="600", title=title)},
        postfix=_shown(RELAY_PEM),
        rereads=(RELAY_PEM,),
    )


def _bundle(given: CertificateFiles, hostname: str) -> SecretStr:
    """Read what the operator has, and refuse what clients would refuse."""
    certificate = read("certificate.certificate", given.certificate)
    key = read("certificate.key", given.key)
    chain = read("certificate.chain", given.chain) if given.chain else ""
    if given.chain:
        _judged("chain", given.chain, lambda: pem.chain(chain))
    public_key = _judged("key", given.key, lambda: pem.public_key_of(key))
    _check(certificate, public_key, hostname, {"certificate": given.certificate, "key": given.key})
    texts = [key, certificate, *([chain] if chain else [])]
    return SecretStr("".join(text.rstrip("\n") + "\n" for text in texts))


def _on_host(given: CertificateOnHost, hostname: str) -> Part:
    """Take what something else keeps on the host: whoever keeps it there keeps it there."""
    return Part(
        postfix=_shown(given.key, given.certificate),
        rereads=(given.key, given.certificate),
        complaints=(partial(_complaints, given, hostname),),
    )


def _complaints(given: CertificateOnHost, hostname: str, ask: Ask) -> Iterator[str]:
    found = ask(CertificatePair, certificate=given.certificate, key=given.key)
    if not found["public_key"]:
        yield f"certificate.key: {given.key} on the host cannot be read as a key; correct the path"
        return
    paths = {"certificate": f"{given.certificate} on the host", "key": f"{given.key} on the host"}
    try:
        _check(found["certificate"], found["public_key"], hostname, paths)
    except OperatorFileError as error:
        yield str(error)


def _from_own_ca(given: OwnCa, hostname: str) -> Part:
    arguments = {"directory": DIRECTORY, "hostname": hostname, "days": given.days}
    title = f"Have the host's own CA issue {RELAY_PEM}"
    return Part(
        directories={DIRECTORY: Directory()},
        files={
            RELAY_PEM: Made(operations.issued, lambda: arguments, mode="600", title=title),
            # Clients were told to trust it, and may have to again.
            CA_KEY: Made(mode="600", stays=True),
            CA_PEM: Made(mode="644", stays=True),
        },
        postfix=_shown(RELAY_PEM),
        rereads=(RELAY_PEM,),
    )


def _check(certificate: str, public_key: str, hostname: str, paths: dict[str, str]) -> None:
    leaf = _judged("certificate", paths["certificate"], lambda: pem.chain(certificate))[0]
    if found := pem.complain(leaf, public_key, hostname, datetime.now(UTC)):
        what, problem = found
        raise OperatorFileError(f"certificate.{what}", f"{paths[what]} {problem}")


def _judged(setting: str, path: str, judge: Callable[[], T]) -> T:
    try:
        return judge()
    except ValueError as error:
        raise OperatorFileError(f"certificate.{setting}", f"{path} {error}") from None
