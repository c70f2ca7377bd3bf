"""The corpus: nothing that a real client writes tells on its user, and nothing else is changed."""

import time
from typing import NamedTuple

import pytest

from lab.topology import user_named
from tests.support.bed import Account, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus import SAMPLES, Sample
from tests.support.corpus_run import HELOS, Case, cases, faults_of
from tests.support.home import homes, moved_to
from tests.support.mail import Maildir
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.bulk, pytest.mark.needs("outside", "client", "directory")]

# The login is in no address of the messages: where it turns up, it leaked.
USER = Account(user_named("backslash").uid, user_named("backslash").password)
LEAST = 1000
TURNS = 2  # in each home, with other names and envelopes for the same message and endpoint


class Outcome(NamedTuple):
    """What became of the corpus."""

    sent: list[Case]
    faults: dict[Case, list[str]]
    seconds: float


@pytest.fixture(scope="module")
def outcome(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> Outcome:
    """Send every message from every kind of home through every endpoint."""
    began = time.monotonic()
    sent: list[Case] = []
    faults: dict[Case, list[str]] = {}
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.takes_logins]
    for number, home in enumerate(homes(client.remote)):
        with moved_to(home, client.remote):
            for turn in range(TURNS):
                wave = cases(endpoints, home, USER.login, start=number * TURNS + turn)
                faults |= faults_of(wave, mail_program, USER, outside)
                sent += wave
    return Outcome(sent, faults, time.monotonic() - began)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_message_tells_nothing_and_is_otherwise_unchanged(outcome: Outcome, sample: Sample) -> None:
    faults = [
        f"{case}: {fault}"
        for case in outcome.sent
        if case.sample is sample
        for fault in outcome.faults.get(case, [])
    ]
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:5])


def test_corpus_is_large(outcome: Outcome) -> None:
    sent = outcome.sent
    assert (
        len({(one.sample, one.endpoint, one.home, one.helo, one.envelope, one.utf8) for one in sent}) >= LEAST
    )
    assert {one.helo for one in sent} == set(HELOS)
    assert len({one.home for one in sent}) == 3
    print(f"{len(sent)} messages took {outcome.seconds:.0f} s")  # shown with -rP, and judged by nobody
