"""A run that changes nothing costs a host one connection and one command, counted where they arrive.

Of a host's commands its journal has those of sudo(8), so the deploy comes as somebody who needs it.
"""

import pytest

from tests.support.bed import Relay, TestBed
from tests.support.deploy import Deploy

pytestmark = pytest.mark.changes_the_relay

ByAnother = list[str]

# The test's own connection is open already. Its own commands ask the clock and the journal; which may hear of
# the first when the clock has answered, for they are milliseconds apart.
COUNT = """\
journalctl -q --since {since} -o cat -t sshd -t sshd-session | grep -c '^Accepted' || true
journalctl -q --since {since} -o cat -t sudo | grep 'COMMAND=' | grep -vcE 'journalctl|date \\+@' || true
"""


@pytest.fixture
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Deploy:
    return Deploy(test_bed.inventory, pytestconfig.rootpath)


@pytest.fixture
def by_sudo(test_bed: TestBed) -> ByAnother:
    """Give what has the deploy log in as another than root."""
    return ["--data", f"ssh_user={test_bed.keeper.SUDOER}", "--data", "_sudo=true"]


def counted(relay: Relay, deploy: Deploy, by_sudo: ByAnother) -> tuple[int, int]:
    """Deploy, and count a host's new connections and commands; nothing may change."""
    since = relay.remote.run("date +@%s.%N").strip()
    run = deploy.run(*by_sudo)
    assert run.changed == {}
    assert run.unchanged > 0
    connections, commands = map(int, relay.remote.run(COUNT.format(since=since)).split())
    return connections, commands


def test_a_run_that_changes_nothing_is_one_connection_and_one_command(
    relay: Relay, deploy: Deploy, by_sudo: ByAnother
) -> None:
    deploy.run(*by_sudo)  # another test may have changed something
    connections, commands = counted(relay, deploy, by_sudo)
    assert connections == 1
    assert commands <= 2  # after a run that changed something its successor may ask in two parts
    assert counted(relay, deploy, by_sudo) == (1, 1)


def test_switched_off_every_question_is_a_command(
    relay: Relay, deploy: Deploy, by_sudo: ByAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.run(*by_sudo)
    monkeypatch.setenv("PREFETCH", "off")
    connections, commands = counted(relay, deploy, by_sudo)
    assert connections == 1
    assert commands > 20
