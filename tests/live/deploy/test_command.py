"""The command as a person types it: a plan changes nothing, a deploy asks, faults are told of their relay."""

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.topology import SERVICE_PASSWORD
from tests.support.bed import Relay, TestBed
from tests.support.command_line import quietrelay

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

TAMPER = "rm /etc/saslauthd.conf && postconf -X smtpd_relay_restrictions"
REPAIRED = ["Files | Write /etc/saslauthd.conf", "Activation | Write main.cf and master.cf"]
# All that a deploy writes: files with their rights and times, and when the daemons were started.
STATE = """
find /etc /usr/local -xdev -printf '%p %m %U:%G %T@ %C@\\n' | sort
systemctl show -p ExecMainStartTimestampMonotonic postfix@- saslauthd
"""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def command(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Command]:
    """Give the command, started in a directory of the operator's; at the end relays are as before."""
    directory = tmp_path_factory.mktemp("operator")
    inventory = str(Path(test_bed.inventory).resolve())

    def run(subcommand: str, *words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        ours, terminal = pty.openpty()
        try:
            os.write(ours, answer.encode())
            streams = {"stdin": terminal, "stderr": subprocess.STDOUT}
            return quietrelay(subcommand, inventory, *words, cwd=directory, **streams)
        finally:
            os.close(terminal)
            os.close(ours)

    yield run
    back = run("deploy", "--yes")
    assert back.returncode == 0, back.stdout


@pytest.fixture
def first(test_bed: TestBed) -> Relay:
    """Give one relay of several, with which something is the matter."""
    return test_bed.relays[0]


def states(test_bed: TestBed) -> list[list[str]]:
    """Note how all relays are."""
    return [relay.remote.run(STATE).splitlines() for relay in test_bed.relays]


def screen(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Give what a small terminal still shows at the end, but for the line with the prompt."""
    return done.stdout.splitlines()[-23:]


def test_a_plan_for_relays_in_order_has_nothing_to_do_and_does_nothing(
    test_bed: TestBed, command: Command
) -> None:
    before = states(test_bed)
    done = command("plan")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("$ ")
    assert screen(done)[-1] == "Nothing would change."
    assert f"\n{', '.join(relay.name for relay in test_bed.relays)}\n  as it should be  " in done.stdout
    assert states(test_bed) == before


def test_a_plan_names_what_would_change_where_and_changes_nothing(
    test_bed: TestBed, command: Command, first: Relay
) -> None:
    first.remote.run(TAMPER)
    before = states(test_bed)
    done = command("plan")
    assert done.returncode == 0, done.stdout
    shown = screen(done)
    planned = shown[shown.index(first.name) : shown.index(test_bed.relays[1].name)]
    assert [name for name in REPAIRED if f"    {name}" not in planned] == [], shown
    assert "1 relay would change, and what depends on that; nothing was changed yet." in shown
    assert shown[-1] == f"Next: quietrelay deploy {Path(test_bed.inventory).resolve()}"
    assert SERVICE_PASSWORD not in done.stdout
    assert states(test_bed) == before


def test_a_plan_for_another_relay_does_not_look_at_this_one(
    test_bed: TestBed, command: Command, first: Relay
) -> None:
    first.remote.run("postconf -X smtpd_relay_restrictions")
    done = command("plan", "--limit", test_bed.relays[1].name)
    assert done.returncode == 0, done.stdout
    assert screen(done)[-1] == "Nothing would change."
    assert first.name not in done.stdout


def test_who_says_no_to_a_plan_gets_no_deploy(test_bed: TestBed, command: Command, first: Relay) -> None:
    first.remote.run("postconf -X smtpd_relay_restrictions")
    before = states(test_bed)
    done = command("deploy", answer="n\n")
    assert done.returncode == 0, done.stdout
    assert screen(done)[-1].endswith("Nothing was changed.")
    assert states(test_bed) == before


def test_who_says_yes_gets_the_relay_repaired(test_bed: TestBed, command: Command, first: Relay) -> None:
    first.remote.run(f"touch /etc/saslauthd.conf; {TAMPER}")
    done = command("deploy", answer="y\n")
    assert done.returncode == 0, done.stdout
    shown = screen(done)
    changed = shown[shown.index(first.name) : shown.index(test_bed.relays[1].name)]
    assert [name for name in REPAIRED if f"    {name}" not in changed] == [], shown
    assert "Done: 1 relay changed." in shown
    assert SERVICE_PASSWORD not in done.stdout
    again = command("deploy", "--yes")
    assert again.returncode == 0, again.stdout
    assert "Done: nothing had to be changed." in screen(again)


def test_a_verification_looks_at_the_relay_that_was_named_alone(
    test_bed: TestBed, command: Command, first: Relay
) -> None:
    done = command("verify", "--limit", first.name, "--", "-k", "being_on_the_relay or packages")
    assert done.returncode == 0, done.stdout
    assert [first.name, "  passed  2"] == screen(done)[-4:-2]
    assert screen(done)[-1] == "Verified: all is as it should be."
    assert test_bed.relays[1].name not in done.stdout


def test_a_verification_says_which_relay_is_not_as_it_should_be(
    test_bed: TestBed, command: Command, first: Relay
) -> None:
    first.remote.run("systemctl disable saslauthd 2>&1")
    try:
        done = command("verify", "--", "-k", "after_a_reboot")
    finally:
        first.remote.run("systemctl enable saslauthd 2>&1")
    assert done.returncode == 1, done.stdout
    shown = screen(done)
    failed = shown[shown.index(first.name) :]
    assert failed[:2] == [first.name, "  failed  1"], shown
    assert failed[2].startswith("    saslauthd would not start with the host; "), shown
    assert shown[shown.index(test_bed.relays[1].name) :][1] == "  passed  1", shown
    assert shown[-1] == "Not all is as it should be: see above."


def test_the_doctor_finds_the_repaired_relays_well(command: Command) -> None:
    done = command("doctor")
    assert done.returncode == 0, done.stdout
    assert screen(done)[-1] == "All relays are well."
