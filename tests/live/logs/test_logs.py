"""Logs: a second home of addresses. They are in one place, whole, and for no longer than was said."""

import re
from collections.abc import Iterator

import pytest

from lab.topology import user_named
from tasks.logs import part as logs
from tests.support.bed import Account, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus_run import cases, faults_of
from tests.support.home import Home, homes
from tests.support.mail import Maildir
from tests.support.secrets_of import on_its_own
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)

# Programs that log what an admin does, these tests among them, are not the mail's.
NOT_MAILS = r"^\S+ \S+ (sudo|sshd|sshd-session|systemd-logind)\["


@pytest.fixture(scope="module")
def marks(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> dict[Relay, str]:
    """Send mail and fail to log in through every endpoint, and give the journal's place before that."""
    before = {
        relay: relay.remote.run("journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()
        for relay in test_bed.relays
    }
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.takes_logins]
    assert faults_of(cases(endpoints, homes(client.remote)[0], USER.login), mail_program, USER, outside) == {}
    for endpoint in endpoints:
        with mail_program.open_secure(endpoint) as conversation:
            assert conversation.log_in_by_plain(Account(USER.login, "wrong")).code == 535
    return before


@pytest.fixture
def home(client: InventoryClient) -> Home:
    """Give the home that was sent from."""
    return homes(client.remote)[0]


def lines_with(addresses: list[str], text: str) -> Iterator[str]:
    pattern = re.compile("|".join(map(on_its_own, addresses)), re.IGNORECASE)
    return (line for line in text.splitlines() if pattern.search(line))


def test_journal_has_no_client(marks: dict[Relay, str], relay: Relay, home: Home) -> None:
    text = relay.remote.run(f"journalctl -o short-iso --no-pager --after-cursor='{marks[relay]}'")
    kept = [line for line in lines_with([home.ipv4, home.ipv6], text) if not re.match(NOT_MAILS, line)]
    assert kept == []


def test_no_file_but_the_relays_own_log_has_a_client(
    marks: dict[Relay, str], relay: Relay, home: Home
) -> None:
    # The journal's files are read as the journal; what lies packed is unpacked.
    found = relay.remote.run(
        f"find /var/log -path /var/log/journal -prune -o -type f -print"
        f" | xargs zgrep -laiE '{re.escape(home.ipv4)}|{home.ipv6}' || true"
    ).split()
    assert found, "not even the relay's own log has it, and what reads that sees nothing"
    assert [path for path in found if not path.startswith(f"{logs.LOG}")] == []


def test_who_guesses_passwords_is_seen(marks: dict[Relay, str], relay: Relay, home: Home) -> None:
    text = relay.remote.run(f"cat {logs.LOG}")
    for address in (home.ipv4, home.ipv6):
        # What fail2ban's filter for Postfix looks for.
        client = rf"\S+\[{re.escape(address)}\]"
        failed = rf"postfix\S*/smtpd\[\d+\]: warning: {client}: SASL PLAIN authentication failed"
        services = re.findall(failed, text)
        assert {"postfix/smtpd", "postfix/submission/smtpd", "postfix/submissions/smtpd"} <= {
            found.split("[")[0] for found in services
        }


def test_logs_are_for_those_who_look_after_the_relay(relay: Relay) -> None:
    assert relay.remote.run(f"stat -c '%U:%G %a' {logs.DIRECTORY}").strip() == "root:adm 750"
    assert relay.remote.host.run(f"runuser -u nobody -- ls {logs.DIRECTORY}").rc != 0


def test_old_logs_are_deleted_and_todays_is_closed(marks: dict[Relay, str], relay: Relay) -> None:
    days = relay.settings.logs.keep_days
    assert days is not None
    # Closed at midnight, when its youngest line was as old as the file then is.
    ages = {"kept": days * 24 - 26, "gone": (days - 1) * 24}
    for name, hours in ages.items():
        relay.remote.run(f"touch -d '{hours} hours ago' {logs.LOG}.{name}.gz")
    relay.remote.run("systemctl start quietrelay-logs.service")
    found = relay.remote.run(f"ls {logs.DIRECTORY}").split()
    assert "mail.log.kept.gz" in found
    assert "mail.log.gone.gz" not in found
    assert [name for name in found if re.fullmatch(r"mail\.log\.\d{8}-\d{6}(\.gz)?", name)]
    relay.remote.run(f"rm {logs.LOG}.kept.gz")
    assert relay.remote.run("systemctl is-enabled quietrelay-logs.timer").strip() == "enabled"
    assert relay.remote.run("systemctl is-active quietrelay-logs.timer").strip() == "active"
