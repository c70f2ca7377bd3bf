"""Which cipher suites and curves a port accepts, found by elimination.

sslyze asks for each suite of each version by itself, and for each curve: 563 connections a port. Here all are
offered at once, the one that the server chooses is left out, and the rest is offered, until it accepts none:
a connection for each that it accepts, and one more. What comes out is what sslyze would have found, in its
own words.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nassl.ephemeral_key_info import EcDhEphemeralKeyInfo, OpenSslEcNidEnum
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import BaseSslClient, OpenSslVerifyEnum, OpenSslVersionEnum, SslClient
from sslyze.connection_helpers.tls_connection import NoCiphersAvailableBugInSSlyze, SslConnection
from sslyze.errors import ServerRejectedTlsHandshake
from sslyze.plugins.elliptic_curves_plugin import EllipticCurve, SupportedEllipticCurvesScanResult
from sslyze.plugins.openssl_cipher_suites.cipher_suites import CipherSuitesRepository
from sslyze.plugins.openssl_cipher_suites.implementation import (
    CipherSuiteAcceptedByServer,
    CipherSuitesScanResult,
)
from sslyze.plugins.scan_commands import ScanCommand
from sslyze.scanner.models import (
    CipherSuitesScanAttempt,
    ServerScanResult,
    SupportedEllipticCurvesScanAttempt,
)
from sslyze.scanner.scan_command_attempt import ScanCommandAttemptStatusEnum
from sslyze.server_connectivity import ServerConnectivityInfo, TlsVersionEnum, enable_ecdh_cipher_suites

VERSIONS = {
    ScanCommand[f"{version.name}_CIPHER_SUITES"]: version
    for version in TlsVersionEnum  # SSL 2.0 to TLS 1.3
}
BY_ELIMINATION = {*VERSIONS, ScanCommand.ELLIPTIC_CURVES}


def completed(result: ServerScanResult) -> ServerScanResult:
    """Add suites and curves to a scan that did not ask for them.

    :raises sslyze.errors.TlsHandshakeFailed: where a handshake neither succeeds nor is turned down
    """
    assert result.scan_result, result.connectivity_error_trace
    assert result.connectivity_result
    server = ServerConnectivityInfo(
        result.server_location, result.network_configuration, result.connectivity_result
    )
    done = ScanCommandAttemptStatusEnum.COMPLETED, None, None
    found: dict[str, Any] = {
        command.value: CipherSuitesScanAttempt(*done, _suites(server, version))
        for command, version in VERSIONS.items()
    }
    curves = SupportedEllipticCurvesScanAttempt(*done, _curves(server))
    return replace(result, scan_result=replace(result.scan_result, elliptic_curves=curves, **found))


def _suites(server: ServerConnectivityInfo, version: TlsVersionEnum) -> CipherSuitesScanResult:
    accepted = [one for legacy in (True, False) for one in _accepted_suites(server, version, legacy)]
    return CipherSuitesScanResult(version, accepted, rejected_cipher_suites=[])


def _accepted_suites(
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
        _offer(connection.ssl_client, version, ":".join(sorted(left)))
        if not _agreed(connection):
            return
        chosen = connection.ssl_client.get_current_cipher_name()
        yield CipherSuiteAcceptedByServer(suites[chosen], connection.ssl_client.get_ephemeral_key())
        left.remove(chosen)


def _curves(server: ServerConnectivityInfo) -> SupportedEllipticCurvesScanResult:
    """Offer curves in the server's highest version, as sslyze does."""
    left = OpenSslEcNidEnum.get_supported_by_ssl_client()
    accepted = []
    while left:
        connection = server.get_preconfigured_tls_connection(should_use_legacy_openssl=False)
        client = connection.ssl_client
        assert isinstance(client, SslClient)
        enable_ecdh_cipher_suites(server.tls_probing_result.highest_tls_version_supported, client)
        client.set_groups(sorted(left))
        if not _agreed(connection):
            break
        key = client.get_ephemeral_key()
        assert isinstance(key, EcDhEphemeralKeyInfo), key
        accepted.append(EllipticCurve(key.curve_name, key.curve))
        left.remove(key.curve)
    return SupportedEllipticCurvesScanResult(bool(accepted), accepted or None, [])


def _agreed(connection: SslConnection) -> bool:
    """Shake hands, and hang up."""
    try:
        connection.connect()
    except (ServerRejectedTlsHandshake, NoCiphersAvailableBugInSSlyze):  # or this OpenSSL has no more
        return False
    finally:
        connection.close()
    return True


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
