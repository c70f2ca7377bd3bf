"""A certificate that clients would refuse is refused first; one that runs out is renewed in time."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lab.certificates import Certificate, issue, new_authority
from tasks.host import pem
from tests.unit.examples import HOSTNAME

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def complaint(certificate: Certificate, key: str, now: datetime = NOW) -> tuple[str, str] | None:
    """Judge the certificate of `HOSTNAME`."""
    return pem.complain(pem.chain(certificate.certificate)[0], pem.public_key_of(key), HOSTNAME, now)


class TestReading:
    def test_chain_begins_with_the_relays_own(self, authority: Certificate, pair: Certificate) -> None:
        leaf, signer = pem.chain(pair.certificate + authority.certificate)
        assert pem.dns_names(leaf) == [HOSTNAME]
        assert leaf.issuer == signer.subject

    @pytest.mark.parametrize(
        "text", ["", "pa55word", "-----BEGIN CERTIFICATE-----\npa55word\n-----END CERTIFICATE-----\n"]
    )
    def test_what_is_no_certificate_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"^holds no certificate that can be read; give one in PEM$"):
            pem.chain(text)

    def test_certificate_is_no_key(self, pair: Certificate) -> None:
        with pytest.raises(ValueError, match=r"^holds no private key that can be read; give one in PEM$"):
            pem.public_key_of(pair.certificate)

    def test_garbage_is_no_key_and_is_not_repeated(self) -> None:
        garbage = "-----BEGIN PRIVATE KEY-----\npa55word\n-----END PRIVATE KEY-----\n"
        with pytest.raises(ValueError, match=r"^holds no private key that can be read; give one in PEM$"):
            pem.public_key_of(garbage)

    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_encrypted_key_is_refused(self, pair: Certificate, form: PrivateFormat) -> None:
        key = load_pem_private_key(pair.key.encode(), None)
        encrypted = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"pa55word")).decode()
        with pytest.raises(ValueError, match=r"^is encrypted; give one without a passphrase"):
            pem.public_key_of(encrypted)

    def test_rsa_key_is_read_too(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        assert pem.public_key_of(text).startswith("-----BEGIN PUBLIC KEY-----")


class TestJudging:
    def test_fit_pair(self, pair: Certificate) -> None:
        assert complaint(pair, pair.key) is None

    def test_expired(self, pair: Certificate) -> None:
        end = NOW + 365 * DAY
        assert complaint(pair, pair.key, now=end - DAY) is None
        part, problem = complaint(pair, pair.key, now=end + DAY) or ("", "")
        assert (part, problem) == ("certificate", f"expired on {end:%Y-%m-%d}; renew it")

    def test_not_yet_valid(self, pair: Certificate) -> None:
        part, problem = complaint(pair, pair.key, now=NOW - DAY) or ("", "")
        assert part == "certificate"
        assert problem.startswith("is valid only from ")

    def test_another_hosts(self, authority: Certificate) -> None:
        other = issue(authority, "mx2.example.org")
        problem = f"is for mx2.example.org, not for {HOSTNAME}; get one for that name"
        assert complaint(other, other.key) == ("certificate", problem)

    def test_another_certificates_key(self, authority: Certificate, pair: Certificate) -> None:
        other = issue(authority, HOSTNAME)
        part, problem = complaint(pair, other.key) or ("", "")
        assert part == "key"
        assert problem.startswith("does not belong to the certificate; ")

    @pytest.mark.parametrize(
        ("name", "fits"),
        [
            ("MX1.Example.org", True),
            ("*.example.org", True),
            ("*.org", False),
            ("*.mx1.example.org", False),
            ("example.org", False),
            ("xmx1.example.org", False),
        ],
    )
    def test_names_and_wildcards_count_as_they_do_for_clients(
        self, authority: Certificate, name: str, fits: bool
    ) -> None:
        issued = issue(authority, name)
        assert (complaint(issued, issued.key) is None) is fits

    def test_name_in_the_subject_does_not_count(self, authority: Certificate) -> None:
        certificate = pem.chain(authority.certificate)[0]
        assert certificate.subject.rfc4514_string() == "CN=quietrelay lab CA"
        assert not pem.serves(certificate, "quietrelay lab CA")


class TestAuthority:
    def test_authority_that_outlives_what_it_issues_stays(self, authority: Certificate) -> None:
        key = pem.public_key_of(authority.key)
        assert not pem.is_authority(authority.certificate, key, NOW)  # the lab's lives 365 days
        assert pem.is_authority(authority.certificate, key, NOW - 2 * DAY)

    def test_authority_without_its_certificate_or_key_is_none(
        self, authority: Certificate, pair: Certificate
    ) -> None:
        key = pem.public_key_of(authority.key)
        for certificate, public_key in [
            (authority.certificate, pem.public_key_of(pair.key)),
            (authority.certificate, ""),
            ("", key),
        ]:
            assert not pem.is_authority(certificate, public_key, NOW - 2 * DAY)


class TestRenewal:
    @pytest.mark.parametrize(
        ("lifetime", "left", "due"),
        [(365, 31, False), (365, 29, True), (365, -1, True), (30, 11, False), (30, 9, True), (2, 1, False)],
    )
    def test_certificate_is_renewed_in_its_last_days_and_not_before(
        self, authority: Certificate, lifetime: int, left: int, due: bool
    ) -> None:
        issued = issue(authority, HOSTNAME, lifetime=lifetime * DAY)
        now = NOW + (lifetime - left) * DAY
        key = pem.public_key_of(issued.key)
        assert pem.is_due(issued.certificate, key, authority.certificate, HOSTNAME, now) is due

    def test_certificate_is_renewed_where_it_does_not_serve(
        self, authority: Certificate, pair: Certificate
    ) -> None:
        key, foreign_key = pem.public_key_of(pair.key), pem.public_key_of(authority.key)
        fit = (pair.certificate, key, authority.certificate, HOSTNAME)
        assert not pem.is_due(*fit, NOW)
        for unfit in [
            ("", key, authority.certificate, HOSTNAME),
            (pair.certificate, "", authority.certificate, HOSTNAME),
            (pair.certificate, foreign_key, authority.certificate, HOSTNAME),
            (pair.certificate, key, "", HOSTNAME),
            (pair.certificate, key, new_authority().certificate, HOSTNAME),
            (pair.certificate, key, authority.certificate, "mx2.example.org"),
        ]:
            assert pem.is_due(*unfit, NOW)
