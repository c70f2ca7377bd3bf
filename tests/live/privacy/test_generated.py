"""Messages that no client has written yet leave the relay as they have to."""

from itertools import count

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lab.topology import user_named
from tests.support.bed import Account, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus import Sample
from tests.support.corpus_run import cases, faults_of
from tests.support.generated import SECRET, sample
from tests.support.home import homes
from tests.support.mail import Maildir
from tests.support.secrets_of import found
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.bulk, pytest.mark.needs("outside", "client", "directory")]

USER = Account(user_named("backslash").uid, user_named("backslash").password)
BATCHES = 12  # each through every endpoint
_numbers = count()


@settings(
    max_examples=BATCHES,
    deadline=None,  # mail takes the time that it takes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(messages=st.lists(sample(), min_size=8, max_size=8))
def test_generated_messages_tell_nothing_and_are_otherwise_unchanged(
    test_bed: TestBed,
    client: InventoryClient,
    mail_program: MailProgram,
    outside: Maildir,
    messages: list[tuple[str, str]],
) -> None:
    samples = [as_sample(*message) for message in messages]
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.takes_logins]
    sent = cases(endpoints, homes(client.remote)[0], USER.login, start=next(_numbers), samples=samples)
    assert not [one for one in samples if found(one.delivered(sent[0].values), [SECRET])]
    # A word that is kept, and happens to be one of the writer's own, is no leak.
    assume(not any(found(one.sample.delivered(one.values), one.secrets) for one in sent))
    faults = faults_of(sent, mail_program, USER, outside)
    assert [f"{case}: {fault}" for case, told in faults.items() for fault in told] == []


def as_sample(sent: str, delivered: str) -> Sample:
    """Write a generated message with the corpus's signs: all of it goes, and all of it comes."""
    return Sample(
        f"generated {next(_numbers)}",
        tuple(
            f"{sign}{line}"
            for sign, text in (("-", sent), ("+", delivered))
            for line in text.split("\r\n")[:-1]
        ),
    )
