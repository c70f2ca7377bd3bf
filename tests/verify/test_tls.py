"""TLS: every port keeps to Mozilla's intermediate profile and shows the relay's own certificate."""

import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)
from sslyze.plugins.certificate_info.implementation import CertificateInfoExtraArgument
from sslyze.scanner.models import ScanCommandsExtraArguments, ServerScanRequest, ServerScanResult
from sslyze.scanner.scanner import Scanner
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from tasks.host.facts.certificates import Validity
from tests.support.bed import AT_ONCE, Endpoint, Relay, TestBed
from tests.support.elimination import BY_ELIMINATION, completed
from tests.support.fault import expect
from tests.support.smtp import MailProgram, trusted

INTERMEDIATE = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
DEPLOY = "see what differs, quietrelay drift, and deploy"
MOST_NAMED = 3  # versions, suites or curves in a finding
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


Scans = Mapping[Endpoint, Future[ServerScanResult]]


@pytest.fixture(scope="module")
def scans(test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Scans:
    """Scan each port of all relays once, side by side, directly from this machine.

    A scan that fails is its port's own affair.
    """
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
        results = {result.uuid: pool.submit(completed, result) for result in scanner.get_results()}
    return {endpoint: results[request.uuid] for endpoint, request in requests.items()}


def own_ca(relay: Relay, ca: Path | None, directory: Path) -> Path | None:
    """Fetch the CA of a relay that has its own, or one that is trusted beside those that everybody trusts."""
    text = trusted(relay, ca)
    if not text:
        return None
    copy = directory / f"{relay}.pem"
    copy.write_text(text)
    return copy


def told(issues: Mapping[str, str]) -> str:
    """Tell in a few words, and at each port in the same, what is accepted that should not be."""
    about = []
    for name, text in issues.items():
        words = sorted(re.findall(r"'([^']+)'", text))
        shown = ", ".join(words[:MOST_NAMED]) + (" ..." if len(words) > MOST_NAMED else "")
        about.append(" ".join(name.removeprefix("tls_").split("_")) + (f" ({shown})" if shown else ""))
    return ", ".join(sorted(about))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a CA in sslyze's own collection
def test_port_keeps_to_mozillas_intermediate_profile(scans: Scans, first_endpoint: Endpoint) -> None:
    # Versions, ciphers, curves, known weaknesses, and the certificate: its chain, key, signature, lifetime.
    scan = scans[first_endpoint].result()
    try:
        check_server_against_tls_configuration(scan, INTERMEDIATE)
    except ServerNotCompliantWithTlsConfiguration as error:
        if any(about.startswith("certificate") for about in error.issues):
            raise
        expect(False, f"TLS is weaker than Mozilla's profile: {told(error.issues)}", DEPLOY)
    # The profile is also kept where nothing is accepted, or nothing was found.
    assert scan.scan_result
    for attempt in (scan.scan_result.tls_1_2_cipher_suites, scan.scan_result.tls_1_3_cipher_suites):
        assert attempt.result
        assert attempt.result.accepted_cipher_suites
    assert scan.scan_result.elliptic_curves.result
    assert scan.scan_result.elliptic_curves.result.supported_curves


def test_port_shows_a_certificate_for_the_relay_that_is_valid_for_some_time(
    mail_program: MailProgram, endpoint: Endpoint, days_left: int | None
) -> None:
    with mail_program.open_secure(endpoint) as conversation:  # which fails where chain or name are wrong
        certificate = conversation.certificate()
        conversation.note()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {*endpoint.relay.settings.served_names} <= {*names.get_values_for_type(x509.DNSName)}
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    left = (validity.end - datetime.now(UTC)).days
    least = validity.least(endpoint.relay.settings.relay.certificate_days) if days_left is None else days_left
    assert left >= least, f"the certificate ends in {left} days"
