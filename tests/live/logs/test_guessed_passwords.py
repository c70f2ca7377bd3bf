"""Guessed passwords: fail2ban as the how-to has it bans who guesses, by whatever mechanism."""

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.support.at_once import at_once
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.own_accounts import code_of
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory", "client")]

PAGE = Path(__file__).parents[3] / "docs/how-to/guard-against-guessed-passwords.md"
GUESSES = 5
ALICE = Account(USERS[0].uid, USERS[0].password)
INSTALL = """
export DEBIAN_FRONTEND=noninteractive
apt-get install -q=2 fail2ban nftables python3-systemd >/dev/null 2>&1 ||
  { apt-get update -q=2 && apt-get install -q=2 fail2ban nftables python3-systemd; } >&2
# Wrong passwords of other tests would ban at once: it reads the last ten minutes.
cat /var/log/postfix/mail.log >>/var/log/postfix/mail.log.before && truncate -s 0 /var/log/postfix/mail.log
echo %s | base64 -d > /etc/fail2ban/jail.d/quietrelay.local
systemctl restart fail2ban
timeout 30 sh -c 'until fail2ban-client status postfix-sasl >/dev/null 2>&1; do sleep 0.2; done'
"""
REMOVE = "DEBIAN_FRONTEND=noninteractive apt-get purge -q=2 fail2ban >/dev/null 2>&1; rm -rf /etc/fail2ban"
BANNED = r"""
banned() { fail2ban-client status postfix-sasl | sed -n 's/.*Banned IP list:\s*//p'; }
for _ in $(seq 150); do [ "$(banned)" ] && break; sleep 0.2; done
banned; fail2ban-client unban --all >/dev/null
"""


def jail() -> str:
    """Read what the how-to has for a relay whose log is a file of its own, as the lab's are."""
    found = re.search(r"```ini\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    assert "logpath = /var/log/postfix/mail.log" in found[1]
    return re.sub(r"^ {4}", "", found[1], flags=re.MULTILINE)


@pytest.fixture(scope="module")
def guarded(test_bed: TestBed) -> Iterator[list[Relay]]:
    """Have fail2ban guard the relays, and be gone at the end."""
    script = INSTALL % b64encode(jail().encode()).decode()
    at_once(lambda relay: relay.remote.run(script), test_bed.relays)
    yield list(test_bed.relays)
    at_once(lambda relay: relay.remote.run(REMOVE), test_bed.relays)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_who_guesses_is_banned(
    guarded: list[Relay],
    test_bed: TestBed,
    mail_program: MailProgram,
    client: InventoryClient,
    mechanism: str,
) -> None:
    endpoints = [endpoint_of(test_bed, relay) for relay in guarded]

    def guess(endpoint: Endpoint) -> frozenset[int]:
        codes: set[int] = set()
        for number in range(GUESSES):
            try:
                codes.add(
                    code_of(mail_program, endpoint, mechanism, ALICE._replace(password=f"guess {number}"))
                )
            except OSError:  # the ban was faster than the answer to what led to it
                break
        return frozenset(codes)

    assert set(at_once(guess, endpoints).values()) == {frozenset({535})}
    banned = at_once(lambda relay: set(relay.remote.run(BANNED).split()), guarded)
    for relay, found in banned.items():
        assert found, relay
        assert found <= set(client.addresses), relay
    # A wrong password more would be the first of the next five.
    assert {code_of(mail_program, endpoint, mechanism, ALICE) for endpoint in endpoints} == {235}
