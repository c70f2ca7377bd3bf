"""A run that changes nothing costs a host one connection and one command, counted where they arrive."""

import pytest

from tests.live.deploy import Deploy
from tests.live.landscape import Landscape, Relay

pytestmark = pytest.mark.changes_the_relay

# The test's own connection is open already. Its own commands ask the clock and the journal; which may hear of
# the first when the clock has answered, for they are milliseconds apart.
COUNT = """\
journalctl -q --since {since} -o cat -t sshd -t sshd-session | grep -c '^Accepted' || true
journalctl -q --since {since} -o cat -t sudo | grep 'COMMAND=' | grep -vcE 'journalctl|date \\+@' || true
"""


@pytest.fixture
def deploy(landscape: Landscape, pytestconfig: pytest.Config) -> Deploy:
    return Deploy(landscape.inventory, pytestconfig.rootpath)


def counted(relay: Relay, deploy: Deploy) -> tuple[int, int]:
    """Deploy, and count a host's new connections and commands; nothing may change."""
    since = relay.remote.run("date +@%s.%N").strip()
    run = deploy.run()
    assert run.changed == {}
    assert run.unchanged > 0
    connections, commands = map(int, relay.remote.run(COUNT.format(since=since)).split())
    return connections, commands


def test_a_run_that_changes_nothing_is_one_connection_and_one_command(relay: Relay, deploy: Deploy) -> None:
    deploy.run()  # another test may have changed something
    connections, commands = counted(relay, deploy)
    assert connections == 1
    assert commands <= 2  # after a run that changed something its successor may ask in two parts
    assert counted(relay, deploy) == (1, 1)


def test_switched_off_every_question_is_a_command(
    relay: Relay, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.run()
    monkeypatch.setenv("PREFETCH", "off")
    connections, commands = counted(relay, deploy)
    assert connections == 1
    assert commands > 20
