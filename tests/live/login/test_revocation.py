"""Revocation: who may no longer log in cannot, from the very next login on."""

from collections.abc import Iterator

import pytest

from tests.support import people
from tests.support.backends import door_of, reply
from tests.support.bed import Account, Landscape
from tests.support.people import Person
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]


@pytest.fixture
def leaver(landscape: Landscape) -> Iterator[Person]:
    """Have the directory know somebody."""
    with people.known_to(landscape.others["directory"], people.LEAVER) as person:
        yield person


def replies(program: MailProgram, landscape: Landscape, account: Account) -> set[int]:
    """Log in at each relay, and collect the replies' codes."""
    return {reply(program, door_of(landscape, relay), *account) for relay in landscape.relays}


def test_a_changed_password_counts_at_once(
    landscape: Landscape, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, landscape, leaver.account) == {235}
    leaver.change_password()
    assert replies(mail_program, landscape, leaver.account) == {535}
    assert replies(mail_program, landscape, leaver.changed) == {235}


def test_a_locked_user_is_refused_at_once(
    landscape: Landscape, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, landscape, leaver.account) == {235}
    leaver.lock()
    assert replies(mail_program, landscape, leaver.account) == {535}
    leaver.unlock()
    assert replies(mail_program, landscape, leaver.account) == {235}


def test_a_removed_user_is_refused_at_once(
    landscape: Landscape, mail_program: MailProgram, leaver: Person
) -> None:
    assert replies(mail_program, landscape, leaver.account) == {235}
    leaver.remove()
    assert replies(mail_program, landscape, leaver.account) == {535}


def test_a_relay_that_the_directory_refuses_is_no_users_wrong_password(
    landscape: Landscape, mail_program: MailProgram, leaver: Person
) -> None:
    directory = landscape.others["directory"]
    with people.service_locked(directory):
        for relay in landscape.relays:
            relay.remote.run("systemctl restart saslauthd")  # or it may be bound already
        assert replies(mail_program, landscape, leaver.account) == {454}
    assert replies(mail_program, landscape, leaver.account) == {235}
    assert replies(mail_program, landscape, leaver.changed) == {535}
