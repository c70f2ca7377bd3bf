"""Somebody renews the files on the host, however: every port shows them at once, and nobody notices."""

from collections.abc import Iterator
from textwrap import dedent

import pytest

from lab.certificates import Certificate
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import Deploy, vary
from tests.support.shown import RENEW, SERIALS, people, put, wait_until_shown
from tests.support.smtp import MailProgram
from tests.support.trusting import Trusting

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("client", "directory", "account")]

LIVE = "/etc/relay-live"


@pytest.fixture(scope="module")
def program(test_bed: TestBed) -> MailProgram:
    return Trusting(test_bed)


@pytest.fixture(scope="module")
def deploy(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Deploy with files as certbot keeps them: links to those of the last renewal."""
    inventory = tmp_path_factory.mktemp("operator") / "files.py"
    section = f"settings.CertificateOnHost(certificate={LIVE + '/full.pem'!r}, key={LIVE + '/key.pem'!r})"
    vary(test_bed.inventory, inventory, f'"certificate": {section}', [one.name for one in test_bed.relays])
    for relay in test_bed.relays:
        renewed_by_links(relay, 1, issue(test_bed, relay))
    deploy = Deploy(str(inventory), pytestconfig.rootpath)
    run = deploy.run()
    assert run.status == 0, run.complaint()
    yield deploy
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert back.status == 0, back.complaint()
    assert set(test_bed.everywhere("ls /etc/systemd/system | grep -c certificate.path; true").values()) == {
        "0\n"
    }
    test_bed.everywhere(f"rm -r {LIVE}")


def issue(test_bed: TestBed, relay: Relay) -> Certificate:
    issued = test_bed.keeper.issue_certificate(relay.hostname)
    return Certificate(issued.certificate + test_bed.keeper.CA_CERTIFICATE.read_text(), issued.key)


def renewed_by_links(relay: Relay, number: int, issued: Certificate) -> None:
    """Renew as certbot does: new files, and a link to each that replaces the old one."""
    archive = f"{LIVE}/archive"
    relay.remote.run(
        f"mkdir -p {archive}\n"
        + put(f"{archive}/key{number}.pem", issued.key)
        + put(f"{archive}/full{number}.pem", issued.certificate)
        + dedent(f"""
            for name in key full; do
              ln -s archive/${{name}}{number}.pem {LIVE}/${{name}}.new
              mv -T {LIVE}/${{name}}.new {LIVE}/${{name}}.pem
            done
        """)
    )


def test_a_renewal_by_links_is_shown_at_once(
    test_bed: TestBed, deploy: Deploy, program: MailProgram, account: Account
) -> None:
    with people(program, test_bed, account):
        for relay in test_bed.relays:
            issued = issue(test_bed, relay)
            renewed_by_links(relay, 2, issued)
            wait_until_shown(relay, issued)
    assert deploy.run().changed == {}


def test_a_renewal_of_one_file_after_the_other_is_shown_when_both_are_there(
    test_bed: TestBed, deploy: Deploy, program: MailProgram, account: Account
) -> None:
    issued = {relay: issue(test_bed, relay) for relay in test_bed.relays}
    with people(program, test_bed, account) as attempts:
        for relay, one in issued.items():
            relay.remote.run(put(f"{LIVE}/full.pem", one.certificate))
        attempts.wait_for(235, times=5)  # the files do not belong together meanwhile
        for relay, one in issued.items():
            relay.remote.run(put(f"{LIVE}/key.pem", one.key))
            wait_until_shown(relay, one)
    assert deploy.run().changed == {}


def test_what_is_for_another_name_stays_out_and_is_told(
    test_bed: TestBed, deploy: Deploy, program: MailProgram, account: Account
) -> None:
    before = test_bed.everywhere(SERIALS)
    with people(program, test_bed, account):
        for relay in test_bed.relays:
            renewed_by_links(relay, 3, test_bed.keeper.issue_certificate("elsewhere.example"))
        said = test_bed.everywhere(f"! {RENEW} 2>/dev/null; journalctl -u quietrelay-certificate -o cat -n 5")
    for words in said.values():
        assert "certificate is for elsewhere.example, not for" in words
        assert "what was there stays" in words
    assert test_bed.everywhere(SERIALS) == before
    refused = deploy.run()
    assert refused.status != 0
    assert f"certificate.certificate: {LIVE}/full.pem on the host is for elsewhere.example" in refused.errors
    for relay in test_bed.relays:
        issued = issue(test_bed, relay)
        renewed_by_links(relay, 4, issued)
        wait_until_shown(relay, issued)
