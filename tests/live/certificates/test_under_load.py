"""Renewals one after the other while users send: nobody is refused, and nothing is lost."""

import pytest

from tests.live.certificates.test_own_ca import age
from tests.support.bed import Account, Relay, TestBed
from tests.support.mail import new_token
from tests.support.senders import sending
from tests.support.shown import RENEW, SERIALS
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "client", "directory", "account")]

RENEWALS = 3
SENDERS = 2  # on each port


def test_three_renewals_while_users_send(
    test_bed: TestBed, relay: Relay, mail_program: MailProgram, account: Account
) -> None:
    serials = set()
    ends = [end for end in test_bed.endpoints if end.relay == relay and end.is_first and end.port != 25]
    with sending(mail_program, ends, account, new_token(), SENDERS) as senders:
        for _ in range(RENEWALS):
            age(relay)
            relay.remote.run(RENEW)
            serials.add(relay.remote.run(SERIALS))
    assert len(serials) == RENEWALS
    assert senders.refused == []
    print(f"{relay}: {RENEWALS} renewals, {len(senders.taken)} messages, 0 refused")
    assert senders.taken
    senders.arrived_once(test_bed)
