"""Certificates: what the relay shows to those who connect."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import SecretStr
from pyinfra import host
from pyinfra.api import StringCommand, operation
from pyinfra.operations import files

from tasks import settings
from tasks.certificates import own_ca_script, pem
from tasks.certificates.facts import CertificatePair, PemLabels
from tasks.host.operations import secrets
from tasks.host.step import step
from tasks.inventory.operator_files import complaint, read
from tasks.settings import CertificateFiles, CertificateOnHost, OwnCa, Settings

DIRECTORY = "/etc/postfix/tls"
RELAY_PEM = f"{DIRECTORY}/relay.pem"
CA_PEM = f"{DIRECTORY}/ca.pem"
CA_KEY = f"{DIRECTORY}/ca.key"

KEY_FIRST = (
    "Postfix wants the key, then its certificate, then the rest of the chain, and else offers no TLS; write "
    "them into one file in this order, and name that as certificate and as key"
)

T = TypeVar("T")


def chain_files(relay: Settings) -> tuple[str, ...]:
    """Name the files for smtpd_tls_chain_files, the key before its certificate (postconf(5))."""
    match relay.certificate:
        case CertificateOnHost(certificate=certificate, key=key):
            return tuple(dict.fromkeys((key, certificate)))  # one file may hold both
        case _:
            return (RELAY_PEM,)


def check(relay: Settings) -> None:
    """Refuse a certificate that clients would refuse.

    :raises SettingsError: when one is missing, expired, for another host, or not the key's
    """
    match relay.certificate:
        case CertificateFiles(certificate=certificate, key=key, chain=chain):
            texts = {"certificate": read("certificate.certificate", certificate)}
            texts["key"] = read("certificate.key", key)
            if chain:
                _judged("chain", chain, lambda: pem.chain(read("certificate.chain", chain)))
            public_key = _judged("key", key, lambda: pem.public_key_of(texts["key"]))
            _check_pair(relay, texts["certificate"], public_key, {"certificate": certificate, "key": key})
        case CertificateOnHost(certificate=certificate, key=key):
            found = host.get_fact(CertificatePair, certificate=certificate, key=key)
            if not found["public_key"]:
                raise complaint(
                    "certificate.key", f"{key} on the host cannot be read as a key; correct the path"
                )
            paths = {"certificate": f"{certificate} on the host", "key": f"{key} on the host"}
            _check_pair(relay, found["certificate"], found["public_key"], paths)
            files = chain_files(relay)
            labels = host.get_fact(PemLabels, paths=files)
            if not pem.is_key_first(labels):
                raise complaint("certificate.key", f"{', '.join(files)} on the host: {KEY_FIRST}")
        case OwnCa():
            pass


def _check_pair(relay: Settings, certificate: str, public_key: str, paths: dict[str, str]) -> None:
    certificates = _judged("certificate", paths["certificate"], lambda: pem.chain(certificate))
    leaf = pem.in_order(certificates, public_key)[0]
    if found := pem.complain(leaf, public_key, relay.hostname, datetime.now(UTC)):
        part, problem = found
        raise complaint(f"certificate.{part}", f"{paths[part]} {problem}")


def _judged(setting: str, path: str, judge: Callable[[], T]) -> T:
    try:
        return judge()
    except ValueError as error:
        raise complaint(f"certificate.{setting}", f"{path} {error}") from None


@step("Certificates")
def install() -> None:
    """Put the certificate, its chain and its key where Postfix reads them, or have our own CA issue them."""
    relay = settings.of(host)
    match relay.certificate:
        case CertificateFiles(certificate=certificate, key=key, chain=chain):
            _make_directory()
            certificates = [read("certificate.certificate", certificate)]
            certificates += [read("certificate.chain", chain)] if chain else []
            secrets.file(
                name=f"Put the certificate and its key in {RELAY_PEM}",
                path=RELAY_PEM,
                content=SecretStr(pem.key_and_chain(read("certificate.key", key), *certificates)),
            )
        case OwnCa(days=days):
            _make_directory()
            own_ca(
                name=f"Have the host's own CA issue {RELAY_PEM}",
                hostname=relay.hostname,
                days=days,
            )
            for path, mode in {RELAY_PEM: "600", CA_KEY: "600", CA_PEM: "644"}.items():
                files.file(
                    name=f"Keep {path} at mode {mode}", path=path, user="root", group="root", mode=mode
                )
        case CertificateOnHost():
            pass  # whoever keeps it there keeps it there


def _make_directory() -> None:
    files.directory(
        name=f"Make {DIRECTORY}", path=DIRECTORY, user="root", group="root", mode="755", force=False
    )


@operation()
def own_ca(hostname: str, days: int) -> Generator[StringCommand, None, None]:
    """Have a certificate that the host's own CA issued, made anew in time and for the right name.

    The CA's key never leaves the host; clients are given its certificate, `CA_PEM`.

    + hostname: the name that the certificate is for
    + days: its validity
    """
    authority = host.get_fact(CertificatePair, certificate=CA_PEM, key=CA_KEY)
    pair = host.get_fact(CertificatePair, certificate=RELAY_PEM, key=RELAY_PEM)
    now = datetime.now(UTC)
    if not pem.is_authority(authority["certificate"], authority["public_key"], now):
        yield own_ca_script.authority(DIRECTORY)
        yield own_ca_script.certificate(DIRECTORY, hostname, days)
    elif pem.is_due(pair["certificate"], pair["public_key"], authority["certificate"], hostname, now):
        yield own_ca_script.certificate(DIRECTORY, hostname, days)
    else:
        host.noop(f"{RELAY_PEM} is valid and not yet due")
