"""A certificate that clients would refuse is refused first; one that runs out is renewed in time."""

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

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
from tests.unit import pem_forms
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

    @pytest.mark.parametrize("form", pem_forms.LINES)
    def test_what_is_written_is_what_openssl_reads(self, three: list[Certificate], form: str) -> None:
        relay = three[-1]
        wanted = relay.key + relay.certificate
        text = pem_forms.LINES[form](wanted)
        assert pem.key_and_chain(text, text) == wanted

    @pytest.mark.parametrize("form", pem_forms.BROKEN)
    def test_what_cannot_be_read_is_refused(self, three: list[Certificate], form: str) -> None:
        text = pem_forms.BROKEN[form](three[-1].key + three[-1].certificate)
        with pytest.raises(ValueError, match=r"^holds no (private key|certificate) that can be read; "):
            pem.key_and_chain(text, text)

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

    def test_certificate_that_belongs_to_nobody_is_not_shown(self, three: list[Certificate]) -> None:
        root, middle, relay = three
        other = issue(new_authority(), "mx2.example.org")
        texts = [other.certificate, root.certificate, relay.certificate, middle.certificate]
        assert pem.key_and_chain(relay.key, *texts) == "".join(
            [relay.key, relay.certificate, middle.certificate, root.certificate]
        )

    def test_of_issuers_of_one_name_the_one_that_signed_is_shown(self) -> None:
        former, root = new_authority(), new_authority()
        relay = issue(root, HOSTNAME)
        texts = [former.certificate, relay.certificate, root.certificate]
        assert pem.key_and_chain(relay.key, *texts) == relay.key + relay.certificate + root.certificate

    def test_keys_of_two_kinds_have_a_chain_each(self, three: list[Certificate]) -> None:
        root, middle, relay = three
        old = issue(middle, HOSTNAME, key=rsa.generate_private_key(65537, 2048))
        chain = [middle.certificate, root.certificate]
        given = [root.certificate, old.certificate, middle.certificate, relay.certificate]
        wanted = [old.key, old.certificate, *chain, relay.key, relay.certificate, *chain]
        assert pem.key_and_chain(old.key + relay.key, *given) == "".join(wanted)
        assert pem.key_and_chain("".join([*given, old.key, relay.key]), *given) == "".join(wanted)

    def test_of_keys_of_one_kind_postfix_shows_one(self, three: list[Certificate]) -> None:
        _, middle, relay = three
        with pytest.raises(ValueError, match=r"^holds two ECDSA keys; give one of each kind"):
            pem.keys(middle.key + relay.key)
        assert pem.keys(relay.key + relay.certificate + relay.key) == [relay.key]


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

    @pytest.mark.parametrize(
        ("bits", "said"), [(1024, "has an RSA key of 1024 bits, in CN=mx1.example.org; "), (2048, "")]
    )
    def test_key_that_openssl_does_not_load(self, authority: Certificate, bits: int, said: str) -> None:
        key = rsa.generate_private_key(65537, bits)
        issued = issue(authority, HOSTNAME, key=key)
        problem = pem.weakness(pem.chain(issued.certificate + authority.certificate))
        assert problem.startswith(said) if said else problem == ""

    def test_signature_that_openssl_does_not_take(self, authority: Certificate, tmp_path: Path) -> None:
        issued = new_authority(name=HOSTNAME)  # openssl-x509(1) signs what signs itself
        for name, text in (
            ("ca", authority.certificate),
            ("ca.key", authority.key),
            ("one", issued.certificate),
        ):
            (tmp_path / name).write_text(text)
        words = [
            "openssl",
            "x509",
            "-in",
            "one",
            "-CA",
            "ca",
            "-CAkey",
            "ca.key",
            "-set_serial",
            "1",
            "-sha1",
        ]
        signed = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        problem = pem.weakness(pem.chain(signed))
        assert problem.startswith("is signed with sha1, in CN=mx1.example.org; get one that is ")
