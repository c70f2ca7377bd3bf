"""A cold reboot after the deploy: whatever serves users comes up by itself, behind the firewall it had."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.live.firewall.test_firewall import GUARDS, open_ports
from tests.support.at_once import at_once
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.client_host import PORTS
from tests.support.deploy import Deploy, Run
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

pytestmark = [
    pytest.mark.changes_the_relay,
    pytest.mark.machine,
    pytest.mark.needs("client", "directory"),
]

GUARD = GUARDS["nftables"]
UNITS = ("postfix", "saslauthd", "nftables")
LOOK = f"""
systemctl is-system-running --wait || true
systemctl is-active {" ".join(UNITS)} | paste -sd ' '
systemctl list-units --failed --plain --no-legend
echo
cat /proc/sys/kernel/random/boot_id
"""


@dataclass(frozen=True)
class History:
    """How the relays were before and after they were switched off and on, and what a run then did."""

    boots: dict[Relay, set[str]]
    state: dict[Relay, str]
    opened: dict[Relay, list[int]]
    again: Run


@pytest.fixture(scope="module")
def history(test_bed: TestBed, pytestconfig: pytest.Config) -> Iterator[History]:
    """Raise a firewall, deploy, switch all relays off and on, look, and deploy again."""
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    everywhere = test_bed.everywhere

    everywhere(f"apt-get -qq install --no-install-recommends {GUARD.package} >/dev/null; {GUARD.raise_it}")
    try:
        assert deploy.run().status == 0
        before = everywhere("cat /proc/sys/kernel/random/boot_id")
        test_bed.keeper.restart(*(relay.name for relay in test_bed.relays))
        for relay in test_bed.relays:
            relay.remote.close()
        state = everywhere(LOOK)
        boots = {relay: {before[relay].strip(), state[relay].split()[-1]} for relay in test_bed.relays}
        opened = at_once(lambda relay: open_ports(test_bed, relay), test_bed.relays)
        yield History(boots, state, opened, deploy.run())
    finally:
        everywhere(GUARD.lower_it)


def test_all_units_come_up_by_themselves(history: History, relay: Relay) -> None:
    assert len(history.boots[relay]) == 2, "it did not reboot"
    assert history.state[relay].splitlines()[:3] == ["running", "active active active", ""]


def test_mail_comes_in_through_the_firewall(history: History, relay: Relay) -> None:
    assert history.opened[relay] == list(PORTS)


def test_postfix_may_still_ask_saslauthd(history: History, relay: Relay) -> None:
    groups = relay.remote.run(
        "sed -n 's/^Groups://p' /proc/$(pgrep -o -u postfix)/status; getent group sasl | cut -d: -f3"
    ).split()
    *of_the_process, sasl = groups
    assert sasl in of_the_process
    assert relay.remote.run("stat -c '%G %a %F' /run/saslauthd /run/saslauthd/mux").splitlines()[0] == (
        "sasl 710 directory"
    )


@pytest.mark.needs("outside", "account")
def test_a_message_goes_through(
    history: History,
    mail_program: MailProgram,
    outside: Maildir,
    first_login_endpoint: Endpoint,
    account: Account,
) -> None:
    token = new_token()
    with mail_program.log_in(first_login_endpoint, account) as conversation:
        assert conversation.envelope("somebody@relay.test", outside_address(token)).code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
    settle(token, first_login_endpoint.relay.remote, outside.remote)
    assert len(outside.arrived(token)) == 1


def test_a_run_after_a_reboot_has_nothing_to_do(history: History) -> None:
    assert history.again.changed == {}
    assert history.again.failed == {}
