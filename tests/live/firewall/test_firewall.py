"""The host's firewall: mail comes in through nftables and ufw, now and after a reboot, and SSH stays."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.support.at_once import at_once
from tests.support.bed import Relay, TestBed
from tests.support.client_host import PORTS
from tests.support.deploy import Deploy, Run

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("client")]

CLOSED_PORT = 26
"""Nothing of ours; something listens there, so that only the firewall can be what refuses."""


class Guard(NamedTuple):
    """A firewall as an operator would set it up: nobody gets in but SSH."""

    package: str
    raise_it: str
    boot: str
    """Drop all rules and load them again, as a boot would."""
    show: str
    """Prints the operator's rules and ours."""
    lower_it: str


GUARDS = {
    "nftables": Guard(
        package="nftables",
        raise_it="""
            cp -p /etc/nftables.conf /etc/nftables.conf.before
            cat >/etc/nftables.conf <<'END'
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iif lo accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport 22 accept comment "of the operator"
    }
}
END
            systemctl enable --quiet nftables
            systemctl restart nftables
        """,
        boot="nft flush ruleset; systemctl restart nftables",
        show="nft list ruleset",
        lower_it="""
            systemctl disable --quiet --now nftables
            mv /etc/nftables.conf.before /etc/nftables.conf
            rm -f /etc/quietrelay/firewall.nft
        """,
    ),
    "ufw": Guard(
        package="ufw",
        raise_it='ufw allow 22/tcp comment "of the operator" && ufw --force enable',
        boot="/usr/lib/ufw/ufw-init stop; systemctl restart ufw",
        show="ufw status",
        lower_it="ufw --force reset && rm /etc/ufw/*.rules.2*",
    ),
}

LISTEN = f"systemd-run --quiet --unit=quietrelay-listens python3 -c \
'import socket, time; s = socket.create_server((\"\", {CLOSED_PORT})); time.sleep(600)'"

Ports = dict[Relay, list[int]]


@dataclass(frozen=True)
class History:
    """Which ports of each relay a client could open, after each step."""

    closed: Ports
    first: Run
    opened: Ports
    booted: Ports
    shown: dict[Relay, str]
    second: Run


@pytest.fixture(scope="module", params=GUARDS)
def history(
    request: pytest.FixtureRequest, test_bed: TestBed, pytestconfig: pytest.Config
) -> Iterator[History]:
    """Raise a firewall, deploy, boot it, deploy again; and leave the relays with its package alone."""
    guard = GUARDS[request.param]
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    everywhere = test_bed.everywhere

    def look() -> Ports:
        return at_once(lambda relay: open_ports(test_bed, relay), test_bed.relays)

    everywhere(f"apt-get -qq install --no-install-recommends {guard.package} >/dev/null && {LISTEN}")
    try:
        everywhere(guard.raise_it)
        closed = look()
        first, opened = deploy.run(), look()
        everywhere(guard.boot)
        booted, shown = look(), everywhere(guard.show)
        yield History(closed, first, opened, booted, shown, deploy.run())
    finally:
        everywhere(f"systemctl stop quietrelay-listens; {guard.lower_it}")


def open_ports(test_bed: TestBed, relay: Relay) -> list[int]:
    """Try a relay's ports from the client, in every family it has."""
    tries = "\n".join(
        f"( timeout 5 bash -c ': 2>/dev/null </dev/tcp/{address}/{port}' && echo {port} ) &"
        for port in (*PORTS, CLOSED_PORT)
        for address in relay.addresses.values()
    )
    answers = test_bed.others["client"].run(f"{tries}\nwait").split()
    return [port for port in (*PORTS, CLOSED_PORT) if answers.count(str(port)) == len(relay.addresses)]


def test_the_operators_firewall_kept_mail_out(history: History, relay: Relay) -> None:
    assert history.closed[relay] == []


def test_mail_comes_in_and_nothing_else(history: History, relay: Relay) -> None:
    assert history.first.status == 0, history.first.complaint()
    assert history.opened[relay] == list(PORTS)


def test_mail_comes_in_after_a_boot(history: History, relay: Relay) -> None:
    assert history.booted[relay] == list(PORTS)


def test_ssh_and_the_operators_rules_stay(history: History, relay: Relay) -> None:
    assert "of the operator" in history.shown[relay]
    assert relay.remote.run("echo here") == "here\n"


def test_a_second_run_adds_no_rule(history: History, relay: Relay) -> None:
    assert history.second.changed == {}
    assert history.shown[relay].count("quietrelay") <= 2  # ufw prints one for each family
