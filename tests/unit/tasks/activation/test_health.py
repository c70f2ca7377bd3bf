"""The last word of a run asks each part of the relay."""

import shlex

import pytest

from deploy import relay
from tasks.activation.facts.health import Health
from tasks.host.facts.host import UNKNOWN
from tasks.settings import Submission
from tests.unit.examples import relay_with


@pytest.mark.parametrize(
    ("auth_on_25", "expected"), [(True, "'LOGIN PLAIN' smtpd 'AUTH PLAIN"), (False, "'' smtpd")]
)
def test_login_on_25_is_expected_only_where_it_is_set(auth_on_25: bool, expected: str) -> None:
    probes = relay(relay_with(submission=Submission(auth_on_25=auth_on_25)), UNKNOWN).probes
    (on_25,) = [probe for probe in probes if probe.startswith(f"serves 25 '-starttls smtp' {expected}")]
    assert ("AUTH" in on_25) == auth_on_25


def test_each_probe_is_one_word_for_the_shell() -> None:
    shell, option, script = shlex.split(Health().command(["it's one", "two"]).get_raw_value())
    assert (shell, option) == ("bash", "-c")
    assert shlex.split(script.splitlines()[-3]) == ["settled", "it's one", "&"]
