"""Certificates: what the relay shows to those who connect."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from pydantic import SecretStr

from tasks.certificates import operations
from tasks.certificates.facts import CertificatePair, PemLabels
from tasks.certificates.sections import Certificate, CertificateFiles, CertificateOnHost, OwnCa
from tasks.host import pem
from tasks.inventory.operator_files import OperatorFileError, read
from tasks.part import Ask, Directory, File, Made, Part
from tasks.postfix.configuration import Configuration

DIRECTORY = "/etc/postfix/tls"
RELAY_PEM = f"{DIRECTORY}/relay.pem"
CA_PEM = f"{DIRECTORY}/ca.pem"
CA_KEY = f"{DIRECTORY}/ca.key"

KEY_FIRST = (
    "Postfix wants the key, then its certificate, then the rest of the chain, and else offers no TLS; write "
    "them into one file in this order, and name that as certificate and as key"
)

T = TypeVar("T")


def part(certificate: Certificate, names: Sequence[str]) -> Part:
    """Have a certificate, its chain and its key where Postfix reads them (smtpd_tls_chain_files).

    :param names: by which users reach the relay, which the certificate has to be for
    """
    match certificate:
        case CertificateFiles():
            return _from_files(certificate, names)
        case CertificateOnHost():
            return _on_host(certificate, names)
        case OwnCa():
            return _from_own_ca(certificate, names)


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


def _from_files(certificate: CertificateFiles, names: Sequence[str]) -> Part:
    title = f"Put the certificate and its key in {RELAY_PEM}"
    return Part(
        directories={DIRECTORY: Directory()},
        files={RELAY_PEM: File(partial(_bundle, certificate, names), mode="600", title=title)},
        postfix=_shown(RELAY_PEM),
        rereads=(RELAY_PEM,),
    )


def _bundle(given: CertificateFiles, names: Sequence[str]) -> SecretStr:
    """Read what the operator has, and refuse what clients would refuse."""
    certificate = read("certificate.certificate", given.certificate)
    key = read("certificate.key", given.key)
    chain = read("certificate.chain", given.chain) if given.chain else ""
    if given.chain:
        _judged("chain", given.chain, lambda: pem.chain(chain))
    public_key = _judged("key", given.key, lambda: pem.public_key_of(key))
    _check(certificate, public_key, names, {"certificate": given.certificate, "key": given.key})
    return SecretStr(pem.key_and_chain(key, certificate, *([chain] if chain else [])))


def _on_host(given: CertificateOnHost, names: Sequence[str]) -> Part:
    """Take what something else keeps on the host: whoever keeps it there keeps it there."""
    files = tuple(dict.fromkeys((given.key, given.certificate)))  # one file may hold both
    return Part(
        postfix=_shown(*files),
        rereads=files,
        complaints=(partial(_complaints, given, files, names),),
    )


def _complaints(
    given: CertificateOnHost, files: tuple[str, ...], names: Sequence[str], ask: Ask
) -> Iterator[str]:
    found = ask(CertificatePair, certificate=given.certificate, key=given.key)
    if not found["public_key"]:
        yield f"certificate.key: {given.key} on the host cannot be read as a key; correct the path"
        return
    paths = {"certificate": f"{given.certificate} on the host", "key": f"{given.key} on the host"}
    try:
        _check(found["certificate"], found["public_key"], names, paths)
    except OperatorFileError as error:
        yield str(error)
    labels: list[str] = ask(PemLabels, paths=files)
    if not pem.is_key_first(labels):
        yield f"certificate.key: {', '.join(files)} on the host: {KEY_FIRST}"


def _from_own_ca(given: OwnCa, names: Sequence[str]) -> Part:
    arguments = {"directory": DIRECTORY, "names": list(names), "days": given.days}
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


def _check(certificate: str, public_key: str, names: Sequence[str], paths: dict[str, str]) -> None:
    certificates = _judged("certificate", paths["certificate"], lambda: pem.chain(certificate))
    leaf = pem.in_order(certificates, public_key)[0]
    if found := pem.complain(leaf, public_key, names, datetime.now(UTC)):
        what, problem = found
        raise OperatorFileError(f"certificate.{what}", f"{paths[what]} {problem}")


def _judged(setting: str, path: str, judge: Callable[[], T]) -> T:
    try:
        return judge()
    except ValueError as error:
        raise OperatorFileError(f"certificate.{setting}", f"{path} {error}") from None
