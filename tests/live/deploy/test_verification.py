"""Verification of a relay that is well passes. With other backends their own tests see to it."""

import pytest

from tests.support.backends import Backends

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]


def test_a_healthy_relay_is_not_called_ill(backends: Backends) -> None:
    assert backends.verify() == ""
