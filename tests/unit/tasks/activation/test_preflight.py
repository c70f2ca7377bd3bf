"""A host that cannot be served is refused, with a remedy, before anything is changed."""

from typing import Any, cast

import pytest

from tasks.activation.preflight import SUPPORTED, complain
from tasks.host.facts.host import HostSays


def host(**differences: Any) -> HostSays:
    """Make a fit host, but for these differences."""
    fit = {"uid": "0", "id": "debian", "version_id": "12", "init": "systemd", "machine_id": "0123abcd"}
    return cast(HostSays, fit | {"listeners": {}, "mail_servers": []} | differences)


@pytest.mark.parametrize("version", SUPPORTED)
def test_supported_debian_is_served(version: str) -> None:
    assert list(complain(host(version_id=version))) == []


@pytest.mark.parametrize(
    ("differences", "complaint"),
    [
        ({"uid": "1000"}, 'as user id 1000, not as root; add "_sudo": True to its data'),
        ({"version_id": "11"}, "runs debian 11, which is not supported; use Debian 12 or 13"),
        ({"version_id": ""}, "runs debian , which is not supported; use Debian 12 or 13"),
        ({"id": "ubuntu"}, "runs ubuntu 12, which is not supported; use Debian 12 or 13"),
        ({"init": "init"}, "the host's init is init, which is not supported; boot it with systemd"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_unfit_host_is_refused_with_a_remedy(differences: dict[str, Any], complaint: str) -> None:
    (said,) = complain(host(**differences))
    assert said.endswith(complaint)
