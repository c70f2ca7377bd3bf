"""A certificate whose chain is not there is one that clients refuse."""

from cryptography import x509

from lab.certificates import Certificate, issue, new_authority
from tasks.certificates import issuers
from tests.unit.examples import HOSTNAME

LACKS = "lacks the rest of its chain: clients do not know its issuer, CN="


def read(*certificates: Certificate) -> list[x509.Certificate]:
    """Read them."""
    return [x509.load_pem_x509_certificate(one.certificate.encode()) for one in certificates]


ROOT, OTHER = new_authority(), new_authority()
MIDDLE = issue(ROOT, "issuer.example.org")
LEAF = issue(MIDDLE, HOSTNAME)


def test_a_leaf_alone_is_refused_and_its_issuer_named() -> None:
    assert issuers.complain(read(LEAF), read(ROOT)).startswith(LACKS)
    assert issuers.complain(read(LEAF), read(OTHER)).startswith(LACKS)


def test_a_chain_of_others_is_none() -> None:
    assert issuers.complain(read(LEAF, OTHER), read(ROOT)).startswith(LACKS)


def test_a_path_to_a_ca_that_clients_know_is_fit() -> None:
    assert issuers.complain(read(LEAF, MIDDLE), read(OTHER, ROOT)) == ""
    assert issuers.complain(read(LEAF), read(MIDDLE)) == ""


def test_a_path_to_a_ca_that_is_shown_is_the_operators_own() -> None:
    assert issuers.complain(read(LEAF, ROOT, MIDDLE), read(OTHER)) == ""


def test_where_no_ca_is_known_nobody_can_tell() -> None:
    assert issuers.complain(read(LEAF), []) == ""
