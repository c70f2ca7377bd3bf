"""A run that breaks a relay, or is broken off: the host goes back to what it was, by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import PATIENCE, Deploy
from tests.support.hammer import hammering
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("client", "directory", "account")]

# All that a run of the deploy may write, and what it must not leave behind.
LOOK = """
for path in /etc/postfix /etc/saslauthd.* /etc/systemd/system /usr/local/lib/quietrelay /etc/pam.d \
  /var/lib/quietrelay/manifest.json; do
  find "$path" -xdev ! -type d -printf '%p %m %u:%g %l\\n'
  find "$path" -xdev -type f -exec sha256sum {} +
done | sort
ls -d /var/lib/quietrelay/pending* /tmp/tmp.* /etc/*.new /etc/postfix/.new* 2>/dev/null
systemctl is-active postfix saslauthd quietrelay-headers quietrelay-logs.timer quietrelay-back
true
"""
WENT_BACK = """
for _ in $(seq 120); do test -e /var/lib/quietrelay/pending || break; sleep 0.5; done
while systemctl is-active --quiet quietrelay-back; do sleep 0.1; done
test ! -e /var/lib/quietrelay/pending
journalctl -q -u quietrelay-back -o cat -n 3
"""

REFUSED = {
    "key": "smtpd_tls_chain_files: OpenSSL reads no key with its certificate in /etc/hostname",
    "table": "postmap: fatal: open database /etc/postfix/none.db: No such file or directory",
    "rules": "error in regex",
}
"""Fault, and what the run says of it."""

Faulty = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Deploy:
    made = Deploy(test_bed.inventory, pytestconfig.rootpath)
    assert made.run().status == 0
    return made


@pytest.fixture(scope="module")
def pyinfra(deploy: Deploy, test_bed: TestBed, pytestconfig: pytest.Config) -> Faulty:
    """Begin a run of a program; it may have a fault, and a host's patience for its silence."""

    def begin(program: str, fault: str = "", silence: int = 120) -> "subprocess.Popen[str]":
        words = [sys.executable, "-m", "pyinfra", "-y", str(Path(test_bed.inventory).resolve()), program]
        environment = {**os.environ, "FAULT": fault, "SILENCE": str(silence), "PYTHONPATH": "."}
        return subprocess.Popen(
            words,
            cwd=pytestconfig.rootpath,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    return begin


@pytest.fixture
def before(test_bed: TestBed, deploy: Deploy) -> dict[Relay, str]:
    return test_bed.everywhere(LOOK)


@contextmanager
def stopped(run: "subprocess.Popen[str]") -> Iterator[None]:
    """Wait until a run has stopped itself, and kill it at the end."""
    try:
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{run.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "T":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield
    finally:
        run.kill()
        run.communicate()


def ended(run: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = run.communicate(timeout=PATIENCE)
    return run.returncode, said


@pytest.mark.parametrize(("fault", "said"), REFUSED.items())
def test_what_cannot_be_read_is_found_aside_and_nobody_notices(
    test_bed: TestBed,
    pyinfra: Faulty,
    before: dict[Relay, str],
    mail_program: MailProgram,
    account: Account,
    fault: str,
    said: str,
) -> None:
    endpoints = [end for end in test_bed.endpoints if end.takes_logins and end.is_first and end.port != 25]
    with hammering(mail_program, endpoints, account) as attempts:
        status, output = ended(pyinfra("tests/support/faulty.py", fault))
        attempts.wait_for(235)
    assert status != 0
    assert output.count(said) == len(test_bed.relays)
    assert output.count("it answers as before") == len(test_bed.relays)
    assert test_bed.everywhere(LOOK) == before
    assert set(attempts.codes()) == {235}, attempts.codes()


def test_a_relay_that_does_not_answer_goes_back_and_says_so(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    status, said = ended(pyinfra("tests/support/faulty.py", "silenced"))
    assert status != 0
    assert said.count("the relay is not up") == len(test_bed.relays)
    assert said.count("went back to the relay that was before") == len(test_bed.relays)
    assert said.count("it answers as before") == len(test_bed.relays)
    assert test_bed.everywhere(LOOK) == before


def test_a_killed_run_is_taken_back_and_nobody_notices(
    test_bed: TestBed,
    pyinfra: Faulty,
    before: dict[Relay, str],
    mail_program: MailProgram,
    account: Account,
) -> None:
    endpoints = [end for end in test_bed.endpoints if end.takes_logins and end.is_first and end.port != 25]
    with hammering(mail_program, endpoints, account) as attempts:
        status, _ = ended(pyinfra("tests/support/faulty.py", "killed"))
        said = test_bed.everywhere(WENT_BACK)
        attempts.wait_for(235)
    assert status == -signal.SIGKILL
    for words in said.values():
        assert "because the connection that changed it is gone" in words
        assert "it answers as before" in words
    assert test_bed.everywhere(LOOK) == before
    assert set(attempts.codes()) <= {235, 454}, attempts.codes()


def test_a_run_that_is_not_heard_of_any_more_is_taken_back(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    with stopped(pyinfra("tests/support/faulty.py", "silent", silence=3)):
        said = test_bed.everywhere(WENT_BACK)
    for words in said.values():
        assert "nothing was heard for 3 seconds" in words
    assert test_bed.everywhere(LOOK) == before


@pytest.mark.machine
def test_a_host_that_reboots_in_the_middle_comes_up_as_it_was(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    with stopped(pyinfra("tests/support/faulty.py", "silent")):
        assert test_bed.everywhere(LOOK) != before
        test_bed.keeper.restart(*(relay.name for relay in test_bed.relays))
        for relay in test_bed.relays:
            relay.remote.close()
        test_bed.everywhere("systemctl is-system-running --wait || true")
        assert test_bed.everywhere(LOOK) == before


def test_the_next_run_has_nothing_to_do(deploy: Deploy) -> None:
    assert deploy.run().changed == {}


def test_a_rollback_is_the_other_s_way_back(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    status, said = ended(pyinfra("tests/support/faulty.py", "none"))
    assert status == 0, said
    changed = test_bed.everywhere(LOOK)
    assert all(changed[relay] != before[relay] for relay in test_bed.relays)
    for expected in (before, changed, before):
        status, said = ended(pyinfra("rollback.py"))
        assert status == 0, said
        assert test_bed.everywhere(LOOK) == expected
    assert set(test_bed.everywhere("postconf -h bounce_size_limit").values()) == {"50000\n"}


def test_a_former_relay_that_does_not_answer_is_not_kept(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    kept = "/var/lib/quietrelay/former/files/etc/postfix"
    test_bed.everywhere(f"postconf -c {kept} -e smtpd_tls_chain_files=/etc/hostname")
    status, said = ended(pyinfra("rollback.py"))
    assert status != 0
    assert said.count("because the former one does not answer") == len(test_bed.relays)
    assert test_bed.everywhere(LOOK) == before
