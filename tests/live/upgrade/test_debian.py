"""Debian 12 becomes 13 under a relay: users are put off at most, and a run settles, however they log in.

To see one way to log in through an upgrade takes minutes. By default one is, and others are seen on the host
that it leaves behind; with QUIETRELAY_UPGRADES=all each is.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.backends import endpoint_of
from tests.support.bed import Endpoint, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.hammer import attempt, hammering
from tests.support.smtp import MailProgram
from tests.support.verification import verify
from tests.support.ways import ACCOUNTS, ON_HOST, WAYS, Way

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.long, pytest.mark.needs("directory", "client")]

ALL = os.environ.get("QUIETRELAY_UPGRADES") == "all"
THROUGH = list(WAYS) if ALL else ["LDAP, bound search"]
AFTERWARDS = [] if ALL else ["PAM", "sasldb", "Dovecot, LDAP"]  # one for each that checks passwords

INVENTORY = """
import runpy

from lab import topology as lab
from tasks.settings import *

_hosts, _data = runpy.run_path({inventory!r})["relays"]
given = _data["login"]
relays = ([host for host in _hosts if host[0] == {relay!r}], _data | {{"login": {login}}})
"""
UPGRADE = """
sed -i s/bookworm/trixie/g /etc/apt/sources.list $(find /etc/apt/sources.list.d -type f)
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qqy -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold full-upgrade >/root/log 2>&1 ||
  { tail -n 30 /root/log >&2; exit 1; }
"""
PUT_OFF = {235, 454, 0}
"""What users may see meanwhile: 0 is a connection that was not taken, or ended."""


@dataclass(frozen=True)
class Settled:
    """A run with one way to log in, the next one, and what was seen then."""

    run: Run
    again: Run
    code: int
    found: str


@dataclass(frozen=True)
class Upgraded:
    """What users saw of an upgrade, and how the host was settled after it, by each way to log in."""

    during: dict[int, int]
    after: int
    settled: dict[str, Settled]


@pytest.fixture(scope="module")
def old(test_bed: TestBed) -> Relay:
    """Give the relay that is to be upgraded."""
    releases = test_bed.everywhere(". /etc/os-release; echo $VERSION_ID")
    return next(relay for relay, release in releases.items() if release == "12\n")


@pytest.fixture(scope="module", params=THROUGH)
def upgraded(
    request: pytest.FixtureRequest,
    old: Relay,
    test_bed: TestBed,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Upgraded]:
    """Upgrade a host on which people log in one way, and go on with the others."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "accounts").write_text(ACCOUNTS)
    endpoint = endpoint_of(test_bed, old)

    def deploy(way: Way) -> Deploy:
        path = folder / "inventory.py"
        login = way.login.format(accounts=str(folder / "accounts"))
        path.write_text(
            INVENTORY.format(inventory=str(Path(test_bed.inventory).resolve()), relay=old.name, login=login)
        )
        return Deploy(str(path), pytestconfig.rootpath)

    def anew() -> None:
        test_bed.keeper.reset(old.name)
        old.remote.close()  # its connection leads to a host that is gone
        mail_program.forget(old)

    anew()
    try:
        old.remote.run(ON_HOST)
        way = WAYS[request.param]
        first = deploy(way).run()
        assert first.status == 0, first.complaint()
        with hammering(mail_program, [endpoint], way.account, people=1) as attempts:
            attempts.wait_for(235)
            old.remote.run(UPGRADE)
        during = attempts.codes()
        after = attempt(mail_program, endpoint, way.account).code
        ways = {name: WAYS[name] for name in (request.param, *AFTERWARDS)}
        yield Upgraded(
            during,
            after,
            {name: settle(deploy(one), one, endpoint, mail_program) for name, one in ways.items()},
        )
    finally:
        anew()
        back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
        assert back.status == 0, back.complaint()


def settle(deploy: Deploy, way: Way, endpoint: Endpoint, program: MailProgram) -> Settled:
    """Deploy twice, log in, and verify."""
    run, again = deploy.run(), deploy.run()
    code = attempt(program, endpoint, way.account).code
    return Settled(run, again, code, verify(deploy.inventory, deploy.root))


def test_while_the_host_is_upgraded_users_are_put_off_at_most(upgraded: Upgraded) -> None:
    assert upgraded.during[235]
    assert set(upgraded.during) <= PUT_OFF, upgraded.during
    assert upgraded.after in PUT_OFF


def test_the_next_run_settles_and_the_one_after_it_changes_nothing(upgraded: Upgraded) -> None:
    for name, settled in upgraded.settled.items():
        assert settled.run.status == 0, f"{name}: {settled.run.complaint()}"
        assert settled.again.status == 0, f"{name}: {settled.again.complaint()}"
        assert settled.again.changed == {}, name


def test_users_log_in_and_verification_finds_the_relay_well(upgraded: Upgraded) -> None:
    found = {name: (settled.code, settled.found) for name, settled in upgraded.settled.items()}
    assert found == dict.fromkeys(found, (235, ""))
