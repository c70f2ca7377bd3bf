"""Which cipher suites a port accepts, found by elimination.

sslyze asks for each suite of each version by itself: 533 connections a port. Here all are offered at once,
the one that the server chooses is left out, and the rest is offered, until it accepts none: a connection for
each suite that it accepts, and one more. What comes out is what sslyze would have found, in its own words.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import BaseSslClient, OpenSslVerifyEnum, OpenSslVersionEnum, SslClient
from sslyze.connection_helpers.tls_connection import NoCiphersAvailableBugInSSlyze
from sslyze.errors import ServerRejectedTlsHandshake
from sslyze.plugins.openssl_cipher_suites.cipher_suites import CipherSuitesRepository
from sslyze.plugins.openssl_cipher_suites.implementation import (
    CipherSuiteAcceptedByServer,
    CipherSuitesScanResult,
)
from sslyze.plugins.scan_commands import ScanCommand
from sslyze.scanner.models import CipherSuitesScanAttempt, ServerScanResult
from sslyze.scanner.scan_command_attempt import ScanCommandAttemptStatusEnum
from sslyze.server_connectivity import ServerConnectivityInfo, TlsVersionEnum

VERSIONS = {
    ScanCommand[f"{version.name}_CIPHER_SUITES"]: version
    for version in TlsVersionEnum  # SSL 2.0 to TLS 1.3
}


def with_cipher_suites(result: ServerScanResult) -> ServerScanResult:
    """Add what a port accepts to a scan that did not ask for it.

    :raises sslyze.errors.TlsHandshakeFailed: where a handshake neither succeeds nor is turned down
    """
    assert result.scan_result, result.connectivity_error_trace
    assert result.connectivity_result
    server = ServerConnectivityInfo(
        result.server_location, result.network_configuration, result.connectivity_result
    )
    found: dict[str, Any] = {
        command.value: CipherSuitesScanAttempt(
            ScanCommandAttemptStatusEnum.COMPLETED, None, None, _scan(server, version)
        )
        for command, version in VERSIONS.items()
    }
    return replace(result, scan_result=replace(result.scan_result, **found))


def _scan(server: ServerConnectivityInfo, version: TlsVersionEnum) -> CipherSuitesScanResult:
    accepted = [one for legacy in (True, False) for one in _accepted(server, version, legacy)]
    return CipherSuitesScanResult(version, accepted, rejected_cipher_suites=[])


def _accepted(
    server: ServerConnectivityInfo, version: TlsVersionEnum, legacy: bool
) -> Iterator[CipherSuiteAcceptedByServer]:
    """Offer what one of nassl's two OpenSSLs knows: the old one the weak suites, the new one the rest."""
    suites = {suite.openssl_name: suite for suite in CipherSuitesRepository.get_all_cipher_suites(version)}
    weak = _known_to_the_old(version)
    left = suites.keys() & weak if legacy else suites.keys() - weak
    while left:
        connection = server.get_preconfigured_tls_connection(
            override_tls_version=version, should_use_legacy_openssl=legacy
        )
        client = connection.ssl_client
        _offer(client, version, ":".join(sorted(left)))
        try:
            connection.connect()
            chosen, key = client.get_current_cipher_name(), client.get_ephemeral_key()
        except (ServerRejectedTlsHandshake, NoCiphersAvailableBugInSSlyze):  # or this OpenSSL has no more
            return
        finally:
            connection.close()
        yield CipherSuiteAcceptedByServer(suites[chosen], key)
        left.remove(chosen)


def _known_to_the_old(version: TlsVersionEnum) -> set[str]:
    if version == TlsVersionEnum.TLS_1_3:
        return set()
    client = LegacySslClient(ssl_version=OpenSslVersionEnum(version.value), ssl_verify=OpenSslVerifyEnum.NONE)
    client.set_cipher_list("ALL:COMPLEMENTOFALL")
    return set(client.get_cipher_list())


def _offer(client: BaseSslClient, version: TlsVersionEnum, names: str) -> None:
    if version == TlsVersionEnum.TLS_1_3 and isinstance(client, SslClient):
        client.set_ciphersuites(names)  # openssl's own function for them, SSL_CTX_set_ciphersuites(3)
    else:
        client.set_cipher_list(names)
