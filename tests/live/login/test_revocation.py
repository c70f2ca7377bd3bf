"""Revocation: who may no longer log in cannot, from the very next login on."""

from collections.abc import Iterator

import pytest

from tests.support import people
from tests.support.backends import endpoint_of, reply
from tests.support.bed import Account, TestBed
from tests.support.people import Person
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]


@pytest.fixture
def leaver(test_bed: TestBed) -> Iterator[Person]:
    """Have the directory know somebody."""
    with people.known_to(test_bed.others["directory"], people.LEAVER) as person:
        yield person


def replies(program: MailProgram, test_bed: TestBed, account: Account) -> set[int]:
    """Log in at each relay, and collect the replies' codes."""
    return {reply(program, endpoint_of(test_bed, relay), *account) for relay in test_bed.relays}


def test_a_changed_password_counts_at_once(
    test_bed: TestBed, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, test_bed, leaver.account) == {235}
    leaver.change_password()
    assert replies(mail_program, test_bed, leaver.account) == {535}
    assert replies(mail_program, test_bed, leaver.changed) == {235}


def test_a_locked_user_is_refused_at_once(
    test_bed: TestBed, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, test_bed, leaver.account) == {235}
    leaver.lock()
    assert replies(mail_program, test_bed, leaver.account) == {535}
    leaver.unlock()
    assert replies(mail_program, test_bed, leaver.account) == {235}


def test_a_removed_user_is_refused_at_once(
    test_bed: TestBed, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, test_bed, leaver.account) == {235}
    leaver.remove()
    assert replies(mail_program, test_bed, leaver.account) == {535}


def test_a_relay_that_the_directory_refuses_is_no_users_wrong_password(
    test_bed: TestBed, mail_program: MailProgram, leaver: Person
) -> None:
    directory = test_bed.others["directory"]
    with people.service_locked(directory):
        for relay in test_bed.relays:
            relay.remote.run("systemctl restart saslauthd")  # or it may be bound already
        assert replies(mail_program, test_bed, leaver.account) == {454}
    assert replies(mail_program, test_bed, leaver.account) == {235}
    assert replies(mail_program, test_bed, leaver.changed) == {535}
