"""A certificate that clients would refuse is refused first; one that runs out is renewed in time."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

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
    return pem.complain(pem.chain(certificate.certificate)[0], pem.public_key_of(key), [HOSTNAME], now)


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


class TestWriting:
    """A key and certificates in any order become what Postfix reads; what it cannot read is known."""

    @pytest.fixture
    def three(self) -> list[Certificate]:
        """A root, another certificate by it, and by that one a certificate for `HOSTNAME`."""
        root = new_authority()
        middle = issue(root, "issuer.example.org")
        return [root, middle, issue(middle, HOSTNAME)]

    @pytest.mark.parametrize(
        "order", list(permutations(range(4))), ids=lambda order: "".join(map(str, order))
    )
    def test_one_pem_may_hold_everything_in_any_order(
        self, three: list[Certificate], order: tuple[int, ...]
    ) -> None:
        root, middle, relay = three
        blocks = [relay.key, relay.certificate, middle.certificate, root.certificate]
        text = "".join(blocks[number] for number in order)
        assert pem.key_and_chain(text, text) == "".join(blocks)

    def test_each_of_two_files_may_hold_more_than_it_has_to(self, three: list[Certificate]) -> None:
        _, middle, relay = three
        wanted = "".join([relay.key, relay.certificate, middle.certificate])
        assert pem.key_and_chain(relay.key, relay.certificate, middle.certificate) == wanted
        key_file, certificate_file = relay.certificate + relay.key, middle.key + middle.certificate
        assert pem.key_and_chain(key_file, certificate_file, relay.certificate) == wanted

    def test_what_is_written_is_what_openssl_reads(self, three: list[Certificate]) -> None:
        relay = three[-1]
        wanted = relay.key + relay.certificate
        indented = "Bag Attributes\n" + "".join(f"  {line}\n" for line in wanted.splitlines())
        for text in (wanted.replace("\n", "\r\n"), wanted.replace("\n", "\r"), indented, wanted.rstrip()):
            assert pem.key_and_chain(text, text) == wanted

    def test_key_of_another_form_is_written_in_the_usual_one(self, three: list[Certificate]) -> None:
        relay = three[-1]
        key = load_pem_private_key(relay.key.encode(), None)
        old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        assert pem.key_and_chain(parameters + old, relay.certificate) == relay.key + relay.certificate

    def test_certificate_is_sent_once(self, three: list[Certificate]) -> None:
        _, middle, relay = three
        texts = [relay.certificate + middle.certificate, middle.certificate]
        assert pem.key_and_chain(relay.key, *texts) == relay.key + texts[0]

    def test_certificate_that_belongs_to_nobody_comes_last(self, three: list[Certificate]) -> None:
        root, _, relay = three
        other = issue(new_authority(), "mx2.example.org")
        texts = [other.certificate, relay.certificate, root.certificate]
        assert pem.key_and_chain(relay.key, *texts) == "".join(
            [relay.key, relay.certificate, other.certificate, root.certificate]
        )

    @pytest.mark.parametrize(
        ("labels", "loads"),
        [
            ("K C", True),
            ("K C C", True),
            ("K C C K C", True),
            ("X K X C X", True),
            ("C K", False),
            ("C", False),
            ("K", False),
            ("K C K", False),
            ("K K C", False),
            ("K C K C", True),
            ("E C", False),
            ("", False),
        ],
    )
    def test_postfix_loads_a_key_before_its_chain_and_nothing_else(self, labels: str, loads: bool) -> None:
        names = {"K": "PRIVATE KEY", "C": "CERTIFICATE", "X": "EC PARAMETERS", "E": "ENCRYPTED PRIVATE KEY"}
        assert pem.is_key_first(names[label] for label in labels.split()) is loads


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
        part, problem = complaint(other, other.key) or ("", "")
        assert part == "certificate"
        assert problem.startswith(
            f"is for mx2.example.org, not for {HOSTNAME}; get one for that name, or say "
        )

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
        assert pem.is_due(issued.certificate, key, authority.certificate, [HOSTNAME], now) is due

    def test_certificate_is_renewed_where_it_does_not_serve(
        self, authority: Certificate, pair: Certificate
    ) -> None:
        key, foreign_key = pem.public_key_of(pair.key), pem.public_key_of(authority.key)
        fit = (pair.certificate, key, authority.certificate, [HOSTNAME])
        assert not pem.is_due(*fit, NOW)
        for unfit in [
            ("", key, authority.certificate, [HOSTNAME]),
            (pair.certificate, "", authority.certificate, [HOSTNAME]),
            (pair.certificate, foreign_key, authority.certificate, [HOSTNAME]),
            (pair.certificate, key, "", [HOSTNAME]),
            (pair.certificate, key, new_authority().certificate, [HOSTNAME]),
            (pair.certificate, key, authority.certificate, "mx2.example.org"),
        ]:
            assert pem.is_due(*unfit, NOW)
