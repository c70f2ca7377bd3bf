"""What hosts say is read, whatever it is: Postfix folds a line of its log in the middle of a character."""

from pathlib import Path

import pytest
import testinfra

from tests.support.inventory import Entry
from tests.support.remote import Remote
from tests.support.secrets_of import found

LOG = r"printf 'from=<m\303\n\274ller@relay.test>, client=\30310.0.0.1\n'"


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """Give a shell on this machine."""
    remote = Remote(Entry("localhost", frozenset(), {"_sudo": False}, None), tmp_path)
    remote.host = testinfra.get_host("local://")
    return remote


def test_a_log_that_is_no_text_is_read(remote: Remote) -> None:
    first, second = remote.run(LOG).splitlines()
    assert (first[:7], second[1:6]) == ("from=<m", "ller@")


def test_an_address_beside_what_is_no_text_is_found(remote: Remote) -> None:
    assert found(remote.run(LOG).encode(), ["10.0.0.1"]) == ["10.0.0.1"]


def test_a_failure_is_told_in_the_hosts_words_though_they_are_no_text(remote: Remote) -> None:
    with pytest.raises(AssertionError, match="\nfrom=<m\N{REPLACEMENT CHARACTER}\n"):
        remote.run(f"{LOG} >&2; exit 3")
