"""The host's own CA renews its certificate by itself: every port shows it at once, and nobody notices."""

from datetime import timedelta
from pathlib import Path

import pytest

from lab import certificates
from lab.certificates import Certificate
from tests.support.bed import Account, Relay, TestBed
from tests.support.command_line import pyinfra
from tests.support.deploy import PATIENCE, Deploy, vary
from tests.support.shown import RENEW, SERIALS, people, replace, serial_of, wait_until_shown
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("client", "directory", "account")]

OWN = "/etc/postfix/tls/relay.pem"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Deploy:
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    assert deploy.run().status == 0
    return deploy


def age(relay: Relay) -> Certificate:
    """Have the relay show a certificate of its CA's that is in its last month."""
    ca, key = (relay.remote.run(f"cat /etc/postfix/tls/ca.{which}") for which in ("pem", "key"))
    old = certificates.issue(Certificate(ca, key), relay.hostname, lifetime=29 * DAY, age=336 * DAY)
    relay.remote.run(replace(OWN, old.key + old.certificate) + "postfix reload")
    wait_until_shown(relay, old)
    return old


def test_host_renews_its_own_and_nobody_notices(
    test_bed: TestBed, deploy: Deploy, mail_program: MailProgram, account: Account
) -> None:
    old = {relay: age(relay) for relay in test_bed.relays}
    with people(mail_program, test_bed, account):
        test_bed.everywhere(RENEW)
        shown = test_bed.everywhere(SERIALS)
    for relay, serials in shown.items():
        assert serials == relay.remote.run(f"openssl x509 -noout -serial -in {OWN}")
        assert serials != f"{serial_of(old[relay])}\n"
        assert relay.remote.run(f"stat -c '%U:%G %a' {OWN}") == "root:root 600\n"
    assert deploy.run().changed == {}


def test_the_timer_waits(relay: Relay, deploy: Deploy) -> None:
    assert relay.remote.run("systemctl is-enabled quietrelay-certificate.timer") == "enabled\n"
    assert relay.remote.run("systemctl is-active quietrelay-certificate.timer") == "active\n"


def test_going_back_brings_no_older_certificate(
    test_bed: TestBed, deploy: Deploy, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    names = [relay.name for relay in test_bed.relays]
    other = vary(test_bed.inventory, tmp_path / "other.py", '"logs": settings.Logs(keep_days=8)', names)
    for relay in test_bed.relays:
        age(relay)
    assert Deploy(other, pytestconfig.rootpath).run().status == 0  # which renews as well
    for relay in test_bed.relays:
        age(relay)
    test_bed.everywhere(RENEW)
    renewed = test_bed.everywhere(f"sha256sum {OWN}")
    went = pyinfra(
        ["-y", str(Path(test_bed.inventory).resolve()), "rollback.py"], pytestconfig.rootpath, PATIENCE
    )
    assert went.returncode == 0, went.stderr
    assert test_bed.everywhere(f"sha256sum {OWN}") == renewed
    assert deploy.run().changed == {}
