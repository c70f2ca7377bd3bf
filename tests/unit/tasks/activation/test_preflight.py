"""A host that cannot be served is refused, with a remedy, before anything is changed."""

from typing import Any, cast

import pytest

from tasks.activation.preflight import SUPPORTED, complain
from tasks.host.facts.host import GroundSays
from tasks.settings import Relay
from tests.unit.examples import HOSTNAME, relay_with

PLAIN = relay_with()
EXIM = {"exim4": "exim4-daemon-light"}
REPLACING = relay_with(relay=Relay(hostname=HOSTNAME, replace_mail_server=True))


def ground(**differences: Any) -> GroundSays:
    """Make a fit host, but for these differences."""
    fit = {"uid": "0", "id": "debian", "version_id": "12", "init": "systemd", "machine_id": "0123abcd"}
    return cast(GroundSays, fit | {"listeners": {}, "mail_servers": []} | differences)


@pytest.mark.parametrize("version", SUPPORTED)
def test_supported_debian_is_served(version: str) -> None:
    assert complain(ground(version_id=version), PLAIN) is None


@pytest.mark.parametrize(
    ("differences", "complaint"),
    [
        ({"uid": "1000"}, 'as user id 1000, not as root; add "_sudo": True to its data'),
        ({"version_id": "11"}, "runs debian 11, which is not supported; use Debian 12 or 13"),
        ({"version_id": ""}, "runs debian , which is not supported; use Debian 12 or 13"),
        ({"id": "ubuntu"}, "runs ubuntu 12, which is not supported; use Debian 12 or 13"),
        ({"init": "init"}, "the host's init is init, which is not supported; boot it with systemd"),
        (
            {"mail_servers": ["exim4-base", "exim4-daemon-light"], "listeners": EXIM},
            "another mail server is installed (exim4-base, exim4-daemon-light); "
            "remove it, or allow that with Relay(replace_mail_server=True)",
        ),
        (
            {"listeners": {"haproxy": "haproxy", "python3": "python3.11-minimal"}},
            "haproxy, python3 listens on 25, 465 or 587; stop it, and keep it from starting",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_unfit_host_is_refused_with_a_remedy(differences: dict[str, Any], complaint: str) -> None:
    assert (complain(ground(**differences), PLAIN) or "").endswith(complaint)


def test_mail_server_may_be_replaced_where_that_is_allowed() -> None:
    exim = ground(mail_servers=["exim4-daemon-light"], listeners=EXIM)
    assert complain(exim, REPLACING) is None


def test_what_does_not_go_with_the_mail_server_keeps_its_port_and_is_refused() -> None:
    both = ground(mail_servers=["exim4-daemon-light"], listeners=EXIM | {"haproxy": "haproxy"})
    assert (complain(both, REPLACING) or "").startswith("haproxy listens")
