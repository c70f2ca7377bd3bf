"""A run that breaks a relay, or is broken off: the host goes back to what it was, by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from lab.topology import SERVICE_PASSWORD
from quietrelay.outcome import REPORT
from quietrelay.waves import WAVES
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import PATIENCE, Deploy
from tests.support.hammer import attempt, hammering
from tests.support.smtp import MailProgram
from tests.support.watching import KEYS, unread

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("client", "directory", "account")]

# All that a run of the deploy may write, and what it must not leave behind.
LOOK = """
for path in /etc/postfix /etc/saslauthd.* /etc/systemd/system /usr/local/lib/quietrelay /etc/pam.d \
  /var/lib/quietrelay/manifest.json; do
  find "$path" -xdev ! -type d -printf '%p %m %u:%g %l\\n'
  find "$path" -xdev -type f -exec sha256sum {} +
done | sort
ls -d /var/lib/quietrelay/pending* /tmp/tmp.* /etc/*.new /etc/postfix/.new* /run/quietrelay-tried* \
  /run/systemd/system/quietrelay-* 2>/dev/null
systemctl is-active postfix saslauthd quietrelay-ldap quietrelay-headers quietrelay-logs.timer quietrelay-back
systemctl is-enabled postfix saslauthd quietrelay-ldap quietrelay-headers quietrelay-logs.timer
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
    "unit": "/etc/systemd/system/quietrelay-ldap.service:",
    "silenced": "port 465 does not offer the logins 'LOGIN PLAIN' over TLS but ''",
    "stale": "port 587 shows the certificate with serial=",
    "lonely": "port 465 answers a login that is nobody's with '454 4.7.0",
    "open": "port 465 answers a login that is nobody's with '235 2.7.0",
    "lax": "the rewriting of users' headers does not work",
}
"""Fault, and what the run says of it."""

UNPROVEN = "the rewriting of the trace header does not work"  # it can be heard on the live relay alone

QUIETLY = "-q=2 -o DPkg::Lock::Timeout=60"

MOST_COMMANDS = 40  # which no run needs
MOST_COMMANDS_OF_A_FIRST_RUN = 150
# At which commands a first run is cut off: all, unless somebody shares them out among labs.
CUTS = os.environ.get("QUIETRELAY_CUTS", f"1-{MOST_COMMANDS_OF_A_FIRST_RUN}")
# All that a run makes or could leave. Not what apt and dpkg keep of how they went; nor what there is to go
# back to, which may be a run that was cut off.
NOT_LOOKED_AT = " -o ".join(
    f"-path '{path}'"
    for path in (
        *("/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd", "/var/lib/postfix"),
        *("/var/lib/quietrelay/former", "/tmp/systemd-private-*", "/var/tmp/systemd-private-*"),
    )
)
FILES = (
    "find /etc /usr/local /root /tmp /var/tmp /var/lib /run/quietrelay* -xdev"
    f" \\( {NOT_LOOKED_AT} \\) -prune -o -printf '%p %u:%g %m\\n'"
)

Faulty = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Deploy:
    made = Deploy(test_bed.inventory, pytestconfig.rootpath)
    assert made.run().status == 0
    return made


@pytest.fixture(scope="module")
def pyinfra(deploy: Deploy, test_bed: TestBed, pytestconfig: pytest.Config) -> Faulty:
    """Begin a run of a program; it may have a fault, and a host's patience for its silence."""

    def begin(
        program: str, fault: str = "", silence: int = 120, waves: str = "", cut: str = "", other: int = 0
    ) -> "subprocess.Popen[str]":
        pyinfra = "quietrelay.under_pyinfra" if waves else "pyinfra"
        words = [sys.executable, "-m", pyinfra, "-y", str(Path(test_bed.inventory).resolve()), program]
        faults = {"FAULT": fault, "CUT": cut, "SILENCE": str(silence), "LOST": "8", WAVES: waves}
        environment = {**os.environ, **faults, "OTHER": str(other), REPORT: os.devnull, "PYTHONPATH": "."}
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


def assert_told(output: str, faults: Sequence[str], words: Mapping[str, str], test_bed: TestBed) -> None:
    """See that the run told of each relay's fault."""
    lines = output.splitlines()
    for relay, fault in zip(test_bed.relays, cycle(faults), strict=False):
        assert any(relay.name in line and words[fault] in line for line in lines), output


@pytest.mark.parametrize(
    "faults", [("key", "silenced"), ("stale", "table"), ("rules", "unit"), ("lonely", "open"), ("lax",)]
)
def test_what_cannot_be_read_is_found_aside_and_nobody_notices(
    test_bed: TestBed,
    pyinfra: Faulty,
    before: dict[Relay, str],
    mail_program: MailProgram,
    account: Account,
    faults: tuple[str, ...],
) -> None:
    endpoints = [end for end in test_bed.endpoints if end.takes_logins and end.is_first and end.port != 25]
    with hammering(mail_program, endpoints, account) as attempts:
        status, output = ended(pyinfra("tests/support/faulty.py", ",".join(faults)))
        attempts.wait_for(235)
    assert status != 0
    assert_told(output, faults, REFUSED, test_bed)
    assert output.count("it answers as before") == len(test_bed.relays)
    assert test_bed.everywhere(LOOK) == before
    assert set(attempts.codes()) == {235}, attempts.codes()


def test_a_relay_that_does_not_answer_goes_back_and_says_so(
    test_bed: TestBed,
    pyinfra: Faulty,
    before: dict[Relay, str],
    mail_program: MailProgram,
    account: Account,
) -> None:
    status, said = ended(pyinfra("tests/support/faulty.py", "shy"))
    assert status != 0
    assert said.count(UNPROVEN) == len(test_bed.relays)
    assert said.count("the relay is not up") == len(test_bed.relays)
    assert said.count("went back to the relay that was before") == len(test_bed.relays)
    assert said.count("it answers as before") == len(test_bed.relays)
    assert test_bed.everywhere(LOOK) == before
    for endpoint in test_bed.endpoints:
        if endpoint.takes_logins and endpoint.is_first:
            with mail_program.log_in(endpoint, account):
                pass


def test_a_relay_that_does_not_rewrite_ends_the_rollout(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    status, said = ended(pyinfra("tests/support/faulty.py", "lax", waves="1"))
    assert status != 0
    assert "the rewriting of users' headers does not work" in said
    assert said.count("went back to the relay that was before") == 1
    assert f"wave 1 of {len(test_bed.relays)}" in said
    assert "wave 2" not in said
    assert "those after it keep what they have" in said
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


def test_a_run_on_the_heels_of_a_killed_one_sees_what_that_left(
    test_bed: TestBed, pyinfra: Faulty, deploy: Deploy, before: dict[Relay, str]
) -> None:
    killed = pyinfra("tests/support/faulty.py", "silent")
    with stopped(killed):
        status, said = ended(pyinfra("tests/support/faulty.py", "late", other=killed.pid))
        assert status == 0, said
    test_bed.everywhere("grep '^# more' /etc/postfix/privacy.pcre")
    assert deploy.run().status == 0
    assert test_bed.everywhere(LOOK) == before


@pytest.mark.long
def test_wherever_a_run_is_cut_off_the_relay_is_the_old_or_the_new_one(
    test_bed: TestBed, pyinfra: Faulty, deploy: Deploy, before: dict[Relay, str]
) -> None:
    assert ended(pyinfra("tests/support/faulty.py", "many"))[0] == 0
    after = test_bed.everywhere(LOOK)
    assert deploy.run().status == 0
    for command in range(1, MOST_COMMANDS):
        status, said = ended(pyinfra("tests/support/faulty.py", "many", cut=str(command)))
        deadline = time.monotonic() + PATIENCE
        while True:  # a host may still work at what it was told
            test_bed.everywhere(WENT_BACK)
            found = test_bed.everywhere(LOOK)
            if all(found[relay] in (before[relay], after[relay]) for relay in test_bed.relays):
                break
            assert time.monotonic() < deadline, f"command {command}: {said}\n{found}"
        if found != before:
            assert deploy.run().status == 0
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert 6 < command < MOST_COMMANDS - 1
    assert test_bed.everywhere(LOOK) == before


@pytest.mark.long
def test_wherever_a_first_run_is_cut_off_the_next_one_settles(
    test_bed: TestBed, pyinfra: Faulty, deploy: Deploy, mail_program: MailProgram, account: Account
) -> None:
    whole: dict[Relay, set[str]] = {}
    first, last = map(int, CUTS.split("-"))
    for command in (0, *range(first, last + 1)):
        for relay in test_bed.relays:
            test_bed.keeper.reset(relay.name)
            relay.remote.close()
            mail_program.forget(relay)
        # The first is not cut off, and says what there is to be on the hosts.
        status, said = ended(pyinfra("tests/support/faulty.py", "none", cut=str(command or "")))
        assert status in (0, -signal.SIGKILL), said
        next_run = deploy.run()
        assert next_run.status == 0, f"command {command}: {next_run.complaint()}"
        assert deploy.run().changed == {}
        found = {relay: {*files.splitlines()} for relay, files in test_bed.everywhere(FILES).items()}
        whole = whole or found
        for relay in test_bed.relays:
            assert found[relay] ^ whole[relay] == set(), f"command {command}, {relay}"
            assert attempt(mail_program, endpoint_of(test_bed, relay), account).code == 235
        print(f"command {command}: {'it came to its end' if status == 0 else 'cut off, and made good'}")
        if command and status == 0:
            break
    assert 20 < command < MOST_COMMANDS_OF_A_FIRST_RUN


def test_a_run_that_is_not_heard_of_any_more_is_taken_back(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    with stopped(pyinfra("tests/support/faulty.py", "silent", silence=3)):
        said = test_bed.everywhere(WENT_BACK)
    for words in said.values():
        assert "nothing was heard for 3 seconds" in words
    assert test_bed.everywhere(LOOK) == before


def test_a_run_that_shuts_ssh_is_taken_back_and_says_so(
    test_bed: TestBed, pyinfra: Faulty, before: dict[Relay, str]
) -> None:
    test_bed.everywhere(f"apt-get install {QUIETLY} --no-install-recommends nftables >/dev/null 2>&1")
    try:
        status, said = ended(pyinfra("tests/support/faulty.py", "shut", silence=3))
        went = test_bed.everywhere(WENT_BACK)
        assert status != 0
        assert said.count("the connection was lost at «") == len(test_bed.relays), said
        for words in went.values():
            assert "nothing was heard for 3 seconds" in words or "is gone" in words
            assert "it answers as before" in words
        assert test_bed.everywhere(LOOK) == before
    finally:
        test_bed.everywhere(f"nft flush ruleset; apt-get purge {QUIETLY} nftables >/dev/null 2>&1")


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
    with unread(test_bed.relays, [SERVICE_PASSWORD, *KEYS]):
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
