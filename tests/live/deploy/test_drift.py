"""Drift: a relay that was just deployed has none, and whatever somebody tampers with is named in one line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.privacy.part import RULES, mark_for
from tests.live.deploy.test_repair import DAMAGES
from tests.support import tampering
from tests.support.bed import Relay, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, vary

pytestmark = pytest.mark.changes_the_relay

DROP_IN = "/etc/systemd/system/saslauthd.service.d/own.conf"
MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"

# What each damage of the repair is told as.
NAMED = {
    "parameter changed": f"{MAIN} smtpd_tls_auth_only: is 'no', not 'yes'",
    "parameter removed": f"{MAIN} smtpd_relay_restrictions: is not there, and is to be",
    "parameter of old guides added": f"{MAIN} smtpd_use_tls: is 'no', and is not to be there",
    "option of submission changed": f"{MASTER} submission/inet/smtpd_tls_security_level: is 'may', not",
    "option of smtp removed": f"{MASTER} smtp/inet/smtpd_data_restrictions: is not there",
    "smtpd chrooted": f"{MASTER} smtp/inet/chroot: is 'y', not 'n'",
    "submissions removed": f"{MASTER} submissions/inet: is not there",
    "submissions' options removed": f"{MASTER} submissions/inet: is not there",
    "smtpd.conf edited": "/etc/postfix/sasl/smtpd.conf: its content is another",
    "saslauthd.conf edited": "/etc/saslauthd.conf: its content is another",
    "saslauthd.conf readable by all": "/etc/saslauthd.conf: its content is another and its mode is 644",
    "unit file edited": "/etc/systemd/system/saslauthd.service: its content is another",
    "gate edited": "/usr/local/lib/quietrelay/gate.py: its content is another",
    "judge of ids edited": "/usr/local/lib/quietrelay/headers.py: its content is another",
    "postfix taken out of group sasl": "/etc/group: postfix is not in sasl",
    "saslauthd disabled": "saslauthd.service: does not start at boot",
    "privacy's rules emptied": f"{RULES}: its content is another",
    "key readable by all": "/etc/postfix/tls/relay.pem: its mode is 644, not 600",
    "TLS policy deleted": "/etc/postfix/tls_policy: is not there",
    "whoever is on the host may try passwords": "/run/saslauthd: its mode is 755, not 710",
    "the judge's directory given away": "/run/quietrelay-headers: is another user's than its daemon's",
}
# What belongs to one of them, and what no deploy mends.
MORE = {
    "the socket itself": "/run/saslauthd/mux: its mode is 777, not 666",
    "sandbox opened": f"{DROP_IN}: sets NoNewPrivileges of saslauthd.service",
    "proxy added": "submission/inet in master.cf has smtpd_proxy_filter = 127.0.0.1:9",
    "proxy of a service of ours": "/etc/postfix/master.cf submission/inet/smtpd_proxy_filter: is",
}
DAMAGE = f"""
mkdir {Path(DROP_IN).parent}
printf '[Service]\\nMemoryMax=1G\\nNoNewPrivileges=no\\n' > {DROP_IN}
postconf -P submission/inet/smtpd_proxy_filter=127.0.0.1:9
"""
NO_DROP_IN = f"rm -rf {Path(DROP_IN).parent}; systemctl daemon-reload"
UNDO = f"postconf -PX submission/inet/smtpd_proxy_filter; {NO_DROP_IN}"

ADDITIONS = f"""
mkdir {Path(DROP_IN).parent}
printf '[Service]\\nMemoryMax=1G\\n' > {DROP_IN}
systemctl daemon-reload
"""

DIRECTORY = 'rm "$RULES" && mkdir "$RULES"'


class Drift:
    """The command, for programs."""

    def __init__(self, inventory: str) -> None:
        """Choose the inventory."""
        self._inventory = str(Path(inventory).resolve())

    def __call__(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Look, and give the exit status and what was found, by host."""
        done = quietrelay("drift", self._inventory, "--json", *options)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert told["status"] == done.returncode
        return done.returncode, {one["host"]: one for one in told["relays"]}


def lines(found: dict[str, Any], relay: Relay) -> list[str]:
    """Write what differs on a relay, a line each."""
    return [f"{one['what']}: {one['words']}" for one in found[relay.name]["differences"]]


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Iterator[Deploy]:
    """Give the deploy; relays are deployed before and after."""
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    assert deploy.run().status == 0
    yield deploy
    back = deploy.run()
    assert back.status == 0, back.complaint()


@pytest.fixture(scope="module")
def drift(deploy: Deploy, test_bed: TestBed) -> Drift:
    """Give the command."""
    return Drift(test_bed.inventory)


def test_a_relay_that_was_just_deployed_has_none_and_an_admins_limits_are_none(
    drift: Drift, test_bed: TestBed
) -> None:
    test_bed.everywhere(ADDITIONS)
    try:
        status, found = drift()
    finally:
        test_bed.everywhere(NO_DROP_IN)
    assert {relay: lines(found, relay) for relay in test_bed.relays} == {
        relay: [] for relay in test_bed.relays
    }
    assert status == 0
    assert all(one["looked"] and one["certificate_days"] > 0 for one in found.values())


def test_a_relay_that_cannot_be_looked_at_is_told_apart(
    drift: Drift, test_bed: TestBed, tmp_path: Path
) -> None:
    gone = vary(test_bed.inventory, tmp_path / "gone.py", '"ssh_port": 1', [test_bed.relays[0].name])
    status, found = Drift(gone)()
    assert (status, found[test_bed.relays[0].name]["looked"]) == (2, False)


def test_tampering_with_what_keeps_users_anonymous_is_named_in_one_line(
    drift: Drift, deploy: Deploy, test_bed: TestBed
) -> None:
    one, other = test_bed.relays
    with (
        tampering.edited([one], tampering.without(0), tampering.none),
        tampering.unjudged([one]),
        tampering.broken([other], DIRECTORY),
    ):
        status, found = drift()
    assert status == 1
    assert lines(found, one) == [
        f"{RULES}: its content is another",
        f"{MAIN} {tampering.GUARD}: is not as it is to be",
        f"{MAIN} {tampering.JUDGED}: is not as it is to be",
    ]
    assert lines(found, other) == [f"{RULES}: is something else than a file; remove it"]
    assert deploy.run().status == 0


@pytest.fixture(scope="module")
def broken(drift: Drift, deploy: Deploy, test_bed: TestBed) -> Iterator[dict[str, Any]]:
    """Break everything on all relays at once, look, and repair."""
    try:
        test_bed.everywhere("\n".join(["set -e", *(change.command for change in DAMAGES.values()), DAMAGE]))
        status, found = drift()
        assert status == 1
        yield found
    finally:
        test_bed.everywhere(UNDO)
        repaired = deploy.run()
        assert repaired.status == 0, repaired.complaint()


@pytest.mark.parametrize("damage", [*DAMAGES, *MORE])
def test_each_damage_is_named_in_one_line(broken: dict[str, Any], relay: Relay, damage: str) -> None:
    told = [line for line in lines(broken, relay) if line.startswith((NAMED | MORE)[damage])]
    assert len(told) == 1, lines(broken, relay)


def test_nothing_else_is_told(broken: dict[str, Any], relay: Relay) -> None:
    named = tuple({**NAMED, **MORE}.values())
    assert [line for line in lines(broken, relay) if not line.startswith(named)] == []


def test_what_a_deploy_does_not_mend_is_marked(broken: dict[str, Any], relay: Relay) -> None:
    left = {one["what"].split(" = ")[0] for one in broken[relay.name]["differences"] if not one["mended"]}
    assert left == {DROP_IN, "submission/inet in master.cf has smtpd_proxy_filter"}


def test_the_mark_of_trace_headers_is_not_shown(broken: dict[str, Any], relay: Relay) -> None:
    assert mark_for(relay.remote.run("cat /etc/machine-id").strip()) not in json.dumps(broken)
