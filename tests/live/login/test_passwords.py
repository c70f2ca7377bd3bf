"""Passwords of the directory's users: the right ones let in, and nothing that resembles them does."""

import pytest

from tests.support.bed import Account, Endpoint
from tests.support.smtp import MailProgram

pytestmark = pytest.mark.needs("directory")


@pytest.mark.bulk
@pytest.mark.parametrize("mechanism", ["log_in_by_plain", "log_in_by_login"])
def test_whatever_characters_a_password_has_it_lets_in(
    mail_program: MailProgram, first_login_endpoint: Endpoint, user: Account, mechanism: str
) -> None:
    with mail_program.open_secure(first_login_endpoint) as conversation:
        reply = getattr(conversation, mechanism)(user)
    assert reply.code == 235, reply


@pytest.mark.parametrize("mechanism", ["log_in_by_plain", "log_in_by_login"])
@pytest.mark.parametrize(
    ("login", "password"),
    [
        pytest.param("alice", "correct-horse-8", id="wrong password"),
        pytest.param("alice", "Correct-Horse-7", id="other case"),
        pytest.param("alice", "correct-horse-7 ", id="blank added"),
        pytest.param("alice", "correct-horse-", id="beginning of the password"),
        pytest.param("alice", "", id="empty password"),
        pytest.param("bob", "correct-horse-7", id="somebody else's password"),
        pytest.param("nobody-by-this-name", "correct-horse-7", id="unknown user"),
        pytest.param("*", "correct-horse-7", id="any user"),
        pytest.param("  ", "correct-horse-7", id="blanks for a name"),
        pytest.param("alice)(uid=*", "correct-horse-7", id="filter injected"),
        pytest.param("root", "", id="account of the host"),
    ],
)
def test_a_wrong_login_is_refused(
    mail_program: MailProgram, first_login_endpoint: Endpoint, login: str, password: str, mechanism: str
) -> None:
    with mail_program.open_secure(first_login_endpoint) as conversation:
        reply = getattr(conversation, mechanism)(Account(login, password))
    assert reply.code == 535, reply


def test_nobody_acts_for_somebody_else(
    mail_program: MailProgram, login_endpoint: Endpoint, account: Account
) -> None:
    with mail_program.open_secure(login_endpoint) as conversation:
        reply = conversation.log_in_by_plain(account, acting_for="bob")
    assert reply.code == 535, reply


def test_without_a_name_the_library_itself_puts_off(
    mail_program: MailProgram, first_login_endpoint: Endpoint
) -> None:
    with mail_program.open_secure(first_login_endpoint) as conversation:
        reply = conversation.log_in_by_plain(Account("", "correct-horse-7"))
    assert reply.code == 454, reply
