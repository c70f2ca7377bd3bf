"""Certificates: what the relay shows to those who connect."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from pydantic import SecretStr

from tasks.certificates import checks, issuers, operations, renewal
from tasks.certificates.facts import Renewal
from tasks.certificates.sections import Acme, Certificate, CertificateFiles, CertificateOnHost, OwnCa
from tasks.host import pem
from tasks.inventory.operator_files import OperatorFileError, read
from tasks.part import Ask, Directory, File, Made, Part, merge
from tasks.postfix.configuration import Configuration

DIRECTORY = "/etc/postfix/tls"
# Each source has a path of its own: what one has renewed is never taken for another's by whoever goes back.
RELAY_PEM = f"{DIRECTORY}/relay.pem"
ON_HOST_PEM = f"{DIRECTORY}/on-host.pem"
GIVEN_PEM = f"{DIRECTORY}/given.pem"
ACME_PEM = f"{DIRECTORY}/acme.pem"
DNS_KEY = f"{renewal.DIRECTORY}/acme-dns.key"
CA_PEM = f"{DIRECTORY}/ca.pem"
CA_KEY = f"{DIRECTORY}/ca.key"

T = TypeVar("T")


def part(certificate: Certificate, names: Sequence[str], days: int, open_ports: bool) -> Part:
    """Have a certificate, its chain and its key where Postfix reads them (smtpd_tls_chain_files).

    :param names: by which users reach the relay, which the certificate has to be for
    :param days: before its end from which on that is a fault
    :param open_ports: whether the host's packet filter may be told to let something in
    """
    made = _by_source(certificate, names, open_ports)
    path = str(made.postfix.parameters["smtpd_tls_chain_files"])
    renewed = not isinstance(certificate, CertificateFiles)
    return replace(made, checks=(partial(checks.checks, path, renewed, days),))


def _by_source(certificate: Certificate, names: Sequence[str], open_ports: bool) -> Part:
    match certificate:
        case CertificateFiles():
            return _from_files(certificate, names)
        case CertificateOnHost():
            return _on_host(certificate, names)
        case OwnCa():
            return _from_own_ca(certificate, names)
        case Acme():
            return _from_acme(certificate, names, open_ports)


def _shown(path: str) -> Configuration:
    """Have Postfix show what a file holds, each key before its certificate."""
    return Configuration(
        parameters={
            "smtpd_tls_chain_files": path,
            # What Debian and old guides set; smtpd_tls_chain_files replaces them.
            "smtpd_tls_cert_file": None,
            "smtpd_tls_key_file": None,
        }
    )


def _from_files(certificate: CertificateFiles, names: Sequence[str]) -> Part:
    title = f"Put the certificate and its key in {GIVEN_PEM}"
    return Part(
        directories={DIRECTORY: Directory()},
        files={GIVEN_PEM: File(partial(_bundle, certificate, names), mode="600", title=title)},
        postfix=_shown(GIVEN_PEM),
        rereads=(GIVEN_PEM,),
    )


def _bundle(given: CertificateFiles, names: Sequence[str]) -> SecretStr:
    """Read what the operator has, and refuse what clients would refuse."""
    key = read("certificate.key", given.key)
    chain = read("certificate.chain", given.chain) if given.chain else ""
    if given.chain:
        _judged("chain", given.chain, lambda: pem.chain(chain))
    texts = (read("certificate.certificate", given.certificate), chain, key)
    certificates = _judged("certificate", given.certificate, lambda: pem.chain("\n".join(texts)))
    for one in _judged("key", given.key, lambda: pem.keys(key)):
        _check(certificates, pem.public_key_of(one), names, given)
    return SecretStr(pem.key_and_chain(key, *texts))


def _on_host(given: CertificateOnHost, names: Sequence[str]) -> Part:
    """Take what something else keeps on the host, now and whenever it changes."""
    settings = {"KEY": given.key, "CERTIFICATE": given.certificate}

    def text() -> str:
        return renewal.script(
            ["on_host.sh"], ON_HOST_PEM, names, AUTHORITIES=_authorities(given.ca), **settings
        )

    title = f"Take the certificate and its key to {ON_HOST_PEM}"
    return merge(
        _renewed(ON_HOST_PEM, text, title),
        renewal.part(text, watched=_watched(given.certificate, given.key)),
        Part(complaints={"certificate": partial(_complaints, given, text)}),
    )


def _watched(*files: str) -> tuple[str, ...]:
    """Name what changes when files are renewed: by writing into them, or by a link's or a file's replacement.

    The latter systemd sees only where it looks at their directory.
    """
    return tuple(dict.fromkeys([*files, *(str(Path(file).parent) for file in files)]))


def _complaints(given: CertificateOnHost, text: Callable[[], str], ask: Ask) -> Iterator[str]:
    try:
        script = text()
    except OperatorFileError:  # which is told of the file that holds it
        return
    for complaint in ask(Renewal, script=script)["unfit"]:
        what, _, problem = complaint.partition(" ")
        yield f"certificate.{what}: {getattr(given, what)} on the host {problem}"


def _from_own_ca(given: OwnCa, names: Sequence[str]) -> Part:
    text = partial(renewal.script, ["own_ca.sh"], RELAY_PEM, names, DAYS=str(given.days))
    # Clients were told to trust it, and may have to again.
    authority = Part(files={CA_KEY: Made(mode="600"), CA_PEM: Made(mode="644")}, stays=(CA_KEY, CA_PEM))
    title = f"Have the host's own CA issue {RELAY_PEM}"
    return merge(_renewed(RELAY_PEM, text, title), renewal.part(text), authority)


def _from_acme(given: Acme, names: Sequence[str], open_ports: bool) -> Part:
    """Have a server issue it, by Debian's lego, which is one program with no timer or files of its own."""

    def text() -> str:
        settings = {
            "SERVER": given.directory,
            "EMAIL": given.email,
            "CHALLENGE": "webroot" if given.webroot else given.challenge,
            "WEBROOT": given.webroot or "",
            "LET_IN": "yes" if open_ports else "",
            "NAMESERVER": given.dns_server or "",
            "DNS_KEY": given.dns_key or "",
            "DNS_ALGORITHM": given.dns_key_algorithm,
            "DNS_KEY_FILE": DNS_KEY,
            "KINDS": " ".join(given.key_types),
            "IF_UNAVAILABLE": given.if_unavailable,
            "DAYS": "90",  # of what stands in
            "AUTHORITIES": _authorities(given.ca),
        }
        return renewal.script(["own_ca.sh", "port_80.sh", "acme.sh"], ACME_PEM, names, **settings)

    files = {DNS_KEY: File(partial(_dns_key, given.dns_key_file), mode="600")} if given.dns_key_file else {}
    return merge(
        _renewed(ACME_PEM, text, f"Have {given.directory} issue {ACME_PEM}"),
        renewal.part(text),
        Part(packages=("lego",), files=files, stays=(CA_KEY, CA_PEM)),  # of what stands in
    )


def _dns_key(path: str) -> SecretStr:
    secret = read("certificate.dns_key_file", path).partition("\n")[0].strip()
    if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", secret):
        raise OperatorFileError(
            "certificate.dns_key_file", f"{path} does not begin with a line of base64; correct it"
        )
    return SecretStr(f"{secret}\n")


def _renewed(path: str, text: Callable[[], str], title: str) -> Part:
    """Have the host make a chain, as it does again by itself."""
    made = Made(operations.renewed, lambda: {"path": path, "script": text()}, mode="600", title=title)
    return Part(
        directories={DIRECTORY: Directory()},
        files={path: made},
        postfix=_shown(path),
        rereads=(path,),
    )


def _authorities(ca: str | None) -> str:
    """Read the CAs that users trust beside those that everybody trusts."""
    if ca is None:
        return ""
    text = read("certificate.ca", ca)
    return pem.written(_judged("ca", ca, lambda: pem.chain(text)))


def _check(
    certificates: Sequence[x509.Certificate],
    public_key: str,
    names: Sequence[str],
    given: CertificateFiles,
) -> None:
    """Find that clients can build on a key's certificate.

    :param certificates: with its chain, in any order
    :param public_key: PEM
    """
    ordered = pem.in_order(certificates, public_key)
    if found := pem.complain(ordered[0], public_key, names, datetime.now(UTC)):
        what, problem = found
        raise OperatorFileError(f"certificate.{what}", f"{getattr(given, what)} {problem}")
    own = pem.chain(authorities) if (authorities := _authorities(given.ca)) else []
    if problem := pem.weakness(ordered) or issuers.complain(ordered, [*own, *issuers.public_cas()]):
        raise OperatorFileError("certificate.certificate", f"{given.certificate} {problem}")


def _judged(setting: str, path: str, judge: Callable[[], T]) -> T:
    try:
        return judge()
    except ValueError as error:
        raise OperatorFileError(f"certificate.{setting}", f"{path} {error}") from None
