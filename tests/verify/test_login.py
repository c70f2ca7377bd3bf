"""Logging in: who gets in, who does not, and that no password travels in the clear."""

import pytest

from deploy import relay as desired
from tasks.host.facts.host import UNKNOWN
from tests.support.bed import Account, Endpoint
from tests.support.smtp import MailProgram


def offers_of_auth(offers: list[str]) -> list[list[str]]:
    """Pick the lines that offer AUTH: the word itself, and the mechanisms in alphabetical order."""
    lines = (line.replace("=", "= ").split() for line in offers if line.startswith("AUTH"))
    return [[word, *sorted(mechanisms)] for word, *mechanisms in lines]


def test_no_login_is_offered_before_tls(mail_program: MailProgram, plain_endpoint: Endpoint) -> None:
    with mail_program.open(plain_endpoint) as conversation:
        offers = conversation.greet()
    assert "STARTTLS" in offers
    assert offers_of_auth(offers) == []


@pytest.mark.parametrize("command", ["AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH LOGIN", "AUTH PLAIN"])
def test_login_before_tls_is_refused(
    mail_program: MailProgram, plain_endpoint: Endpoint, command: str
) -> None:
    with mail_program.open(plain_endpoint) as conversation:
        conversation.greet()
        reply = conversation.say(command)
    assert reply.code in (503, 530), reply  # not 535: then the password was looked at, and went in the clear


def test_what_can_be_checked_is_offered_under_tls_and_nothing_else(
    mail_program: MailProgram, login_endpoint: Endpoint
) -> None:
    with mail_program.open(login_endpoint) as conversation:
        offers = offers_of_auth(conversation.secure())
    settings = login_endpoint.relay.settings
    # The old form, «AUTH=PLAIN LOGIN», says the same once more.
    words = ["AUTH", "AUTH="] if settings.submission.broken_sasl_auth_clients else ["AUTH"]
    assert offers == [[word, *sorted(desired(settings, UNKNOWN).mechanisms)] for word in words]


@pytest.mark.needs("account")
def test_the_right_password_lets_in(
    mail_program: MailProgram, login_endpoint: Endpoint, account: Account
) -> None:
    with mail_program.open_secure(login_endpoint) as conversation:
        assert conversation.log_in_by_plain(account).code == 235
        conversation.note()


@pytest.mark.needs("account")
def test_a_wrong_password_is_refused(
    mail_program: MailProgram, login_endpoint: Endpoint, account: Account
) -> None:
    with mail_program.open_secure(login_endpoint) as conversation:
        reply = conversation.log_in_by_plain(account._replace(password=f"{account.password}x"))
    assert reply.code == 535, reply


@pytest.mark.parametrize("password", ["", "correct-horse-7"])
def test_a_login_without_a_name_is_refused(
    mail_program: MailProgram, login_endpoint: Endpoint, password: str
) -> None:
    # libsasl itself turns it down, in words of its own: 454 by PLAIN.
    with mail_program.open_secure(login_endpoint) as conversation:
        assert conversation.log_in_by_plain(Account("", password)).refuses


@pytest.mark.needs("account")
def test_mail_needs_tls_on_587(mail_program: MailProgram, plain_endpoint: Endpoint) -> None:
    with mail_program.open(plain_endpoint) as conversation:
        conversation.greet()
        reply = conversation.say("MAIL FROM:<alice@relay.test>")
    assert reply.code == (530 if plain_endpoint.port == 587 else 250), reply
