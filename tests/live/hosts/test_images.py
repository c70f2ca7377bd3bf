"""Hosts as an image has them: Postfix without a configuration, and services without their credentials."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.backends import endpoint_of
from tests.support.bed import Account, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.hammer import attempt
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("directory", "account"), pytest.mark.changes_the_relay, pytest.mark.long]

# As the images of LXC and Incus do at each boot, for all services.
DROP_IN = "/run/systemd/system/service.d/zzz-lxc-service.conf"
IMAGE = f"""
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
DEBIAN_FRONTEND=noninteractive apt-get install -q=2 --no-install-recommends postfix >/dev/null 2>&1
mkdir -p {DROP_IN.rpartition("/")[0]}
printf '[Service]\\nProtectProc=default\\nProtectControlGroups=no\\nLoadCredential=\\n' > {DROP_IN}
systemctl daemon-reload
"""
LOOK = "ls /etc/postfix/main.cf /etc/systemd/system/saslauthd.service 2>/dev/null || true"
REMEDY = re.compile(r"put (\[Service\])(.*?), a line each, into (\S+), and systemctl daemon-reload")


@dataclass(frozen=True)
class Deployed:
    """A run that was refused, one after its advice was taken, and the next."""

    refused: Run
    left: set[str]
    run: Run
    again: Run


@pytest.fixture(scope="module")
def deployed(test_bed: TestBed, mail_program: MailProgram, pytestconfig: pytest.Config) -> Iterator[Deployed]:
    """Deploy to such hosts; at the end they are as they were."""
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)

    def start_anew() -> None:
        for relay in test_bed.relays:
            test_bed.keeper.reset(relay.name)
            relay.remote.close()  # its connection leads to a host that is gone
            mail_program.forget(relay)

    start_anew()
    try:
        test_bed.everywhere(IMAGE)
        refused = deploy.run()
        left = set(test_bed.everywhere(LOOK).values())
        for section, lines, path in sorted(set(REMEDY.findall(refused.errors))):
            drop_in = "\\n".join([section, *lines.split(" and ")[1:], ""])
            test_bed.everywhere(f"mkdir -p {path.rpartition('/')[0]}; printf '{drop_in}' > {path}")
        test_bed.everywhere("systemctl daemon-reload")
        yield Deployed(refused, left, deploy.run(), deploy.run())
    finally:
        start_anew()
        back = deploy.run()
        assert back.status == 0, back.complaint()


def test_a_service_without_its_credential_is_told_of_before_anything_changes(
    deployed: Deployed, test_bed: TestBed
) -> None:
    assert deployed.refused.status != 0
    (line,) = [
        line for line in deployed.refused.errors.splitlines() if f"{DROP_IN} has LoadCredential=" in line
    ]
    assert all(relay.name in line for relay in test_bed.relays), line
    assert "ProtectProc" not in deployed.refused.errors
    assert deployed.left == {""}


def test_where_the_advice_is_taken_a_postfix_without_configuration_becomes_a_relay(
    deployed: Deployed, test_bed: TestBed, mail_program: MailProgram, account: Account
) -> None:
    assert deployed.run.status == 0, deployed.run.complaint()
    assert "Packages | Set Postfix up where /etc/postfix/main.cf is missing" in deployed.run.changed
    for relay in test_bed.relays:
        assert attempt(mail_program, endpoint_of(test_bed, relay), account).code == 235
    assert deployed.again.changed == {}
