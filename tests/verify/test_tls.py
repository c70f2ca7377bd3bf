"""TLS: every port keeps to Mozilla's intermediate profile and shows the relay's own certificate."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)
from sslyze.plugins.certificate_info.implementation import CertificateInfoExtraArgument
from sslyze.scanner.models import ScanCommandsExtraArguments, ServerScanRequest, ServerScanResult
from sslyze.scanner.scanner import Scanner
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from tests.support.bed import AT_ONCE, Endpoint, Relay, TestBed
from tests.support.elimination import BY_ELIMINATION, completed
from tests.support.smtp import MailProgram, trusted

INTERMEDIATE = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
BY_SSLYZE = SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER - BY_ELIMINATION


def request_for(endpoint: Endpoint, ca: Path | None) -> ServerScanRequest:
    """Ask for what the profile is about. A relay's own CA is trusted, so that its certificate counts too."""
    starttls = None if endpoint.opens_in_tls else ProtocolWithOpportunisticTlsEnum.SMTP
    return ServerScanRequest(
        ServerNetworkLocation(endpoint.relay.served_name, endpoint.port, ip_address=endpoint.address),
        ServerNetworkConfiguration(
            endpoint.relay.served_name, tls_opportunistic_encryption=starttls, network_timeout=30
        ),
        BY_SSLYZE,
        ScanCommandsExtraArguments(certificate_info=CertificateInfoExtraArgument(ca) if ca else None),
    )


@pytest.fixture(scope="module")
def scans(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Endpoint, ServerScanResult]:
    """Scan each port of all relays once, side by side, directly from this machine."""
    directory = tmp_path_factory.mktemp("own_ca")
    scanner = Scanner(per_server_concurrent_connections_limit=1)  # each one more costs a relay a process
    with ThreadPoolExecutor(AT_ONCE) as pool:
        named = pytestconfig.getoption("--ca")
        ca = Path(named) if named else None
        authorities = pool.map(lambda relay: own_ca(relay, ca, directory), test_bed.relays)
        trust = dict(zip(test_bed.relays, authorities, strict=True))
        requests = {
            endpoint: request_for(endpoint, trust[endpoint.relay])
            for endpoint in test_bed.endpoints
            if endpoint.is_first
        }
        scanner.queue_scans(list(requests.values()))
        results = {result.uuid: result for result in pool.map(completed, scanner.get_results())}
    return {endpoint: results[request.uuid] for endpoint, request in requests.items()}


def own_ca(relay: Relay, ca: Path | None, directory: Path) -> Path | None:
    """Fetch the CA of a relay that has its own, or one that is trusted beside those that everybody trusts."""
    text = trusted(relay, ca)
    if not text:
        return None
    copy = directory / f"{relay}.pem"
    copy.write_text(text)
    return copy


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a CA in sslyze's own collection
def test_port_keeps_to_mozillas_intermediate_profile(
    scans: Mapping[Endpoint, ServerScanResult], first_endpoint: Endpoint
) -> None:
    # Versions, ciphers, curves, known weaknesses, and the certificate: its chain, key, signature, lifetime.
    scan = scans[first_endpoint]
    check_server_against_tls_configuration(scan, INTERMEDIATE)
    # The profile is also kept where nothing is accepted, or nothing was found.
    assert scan.scan_result
    for attempt in (scan.scan_result.tls_1_2_cipher_suites, scan.scan_result.tls_1_3_cipher_suites):
        assert attempt.result
        assert attempt.result.accepted_cipher_suites
    assert scan.scan_result.elliptic_curves.result
    assert scan.scan_result.elliptic_curves.result.supported_curves


def test_port_shows_a_certificate_for_the_relay_that_is_valid_for_some_time(
    mail_program: MailProgram, endpoint: Endpoint, days_left: timedelta
) -> None:
    with mail_program.open_secure(endpoint) as conversation:  # which fails where chain or name are wrong
        certificate = conversation.certificate()
        conversation.note()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {*endpoint.relay.settings.served_names} <= {*names.get_values_for_type(x509.DNSName)}
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert left > days_left, f"the certificate ends in {left.days} days"
