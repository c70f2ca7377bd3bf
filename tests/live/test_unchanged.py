"""What must not change: inbound and forwarded mail; and what users send stays anonymous on every detour."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lab.topology import user_named
from tests.live.corpus import SAMPLES, Sample
from tests.live.corpus_run import SENDER, cases, faults_of, judge_all, what_arrived
from tests.live.home import homes
from tests.live.landscape import Account, Door, Landscape, Relay
from tests.live.mail import LocalMail, Maildir, new_token, outside_address, settle
from tests.live.secrets_of import found
from tests.live.smtp import MailProgram
from tests.live.vantage import There

pytestmark = pytest.mark.needs("outside", "client", "directory", "expendable")

USER = Account(user_named("backslash").uid, user_named("backslash").password)
DROPPED_BY_POSTFIX = rb"(?im)^(bcc|return-path):.*\r?\n"  # message_drop_headers, for everybody's mail


def as_sent(sample: Sample, token: str, relay: Relay, client: There) -> bytes:
    """Write a sample as a stranger would send it."""
    (case,) = cases([], homes(client.remote)[0], "nobody", samples=[sample]) or [None]
    raise NotImplementedError(case, token, relay)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_strangers_mail_comes_in_byte_for_byte(
    landscape: Landscape,
    client: There,
    mail_program: MailProgram,
    local_mail: Callable[[Relay], LocalMail],
    sample: Sample,
) -> None:
    pass
