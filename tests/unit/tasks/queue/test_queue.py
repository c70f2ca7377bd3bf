"""The queue: what is said becomes Postfix's, and what is not stays the admin's."""

import pytest

from tasks.inventory.section import SettingsError
from tasks.part import Part
from tasks.queue.part import part
from tasks.settings import Queue


def test_what_is_not_said_is_the_admins() -> None:
    assert part(Queue()) == Part()


def test_what_is_said_becomes_postfixs() -> None:
    assert part(
        Queue(message_bytes=50_000_000, lifetime_days=2, bounce_lifetime_days=1)
    ).postfix.parameters == {
        "message_size_limit": "50000000",
        "maximal_queue_lifetime": "2d",
        "bounce_queue_lifetime": "1d",
    }


def test_no_mailbox_of_the_relays_is_smaller_than_a_message() -> None:
    parameters = part(Queue(message_bytes=100_000_000)).postfix.parameters
    assert parameters["mailbox_size_limit"] == parameters["virtual_mailbox_limit"] == "0"


def test_a_notice_that_waits_longer_than_mail_is_refused() -> None:
    with pytest.raises(SettingsError, match="bounce_lifetime_days: Postfix would take lifetime_days, 2"):
        Queue(lifetime_days=2, bounce_lifetime_days=3)
