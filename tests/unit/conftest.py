"""Certificates for the unit tests: an authority's and, issued by it, one for `HOSTNAME`."""

import pytest

from lab.certificates import Certificate, issue, new_authority
from tests.unit.examples import HOSTNAME


@pytest.fixture(scope="session")
def authority() -> Certificate:
    """An authority's certificate and key."""
    return new_authority()


@pytest.fixture(scope="session")
def pair(authority: Certificate) -> Certificate:
    """A certificate for `HOSTNAME` that is valid for a year, and its key."""
    return issue(authority, HOSTNAME)
