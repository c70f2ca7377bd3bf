"""Threads and dates: a user's own ids go and are known again, strangers' stay; dates are in UTC if wanted."""

import re
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from lab.topology import user_named
from tests.support.bed import Account, Endpoint, TestBed
from tests.support.deploy import Deploy, vary
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)
KNOWING = '"privacy": settings.Privacy(date="utc"),'
STRANGERS = "<first@a-strangers-pc>"


@pytest.fixture(scope="module", autouse=True)
def knowing(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Deploy relays that know what they rewrote, and as they were at the end."""
    copy = tmp_path_factory.mktemp("knowing") / "knowing.py"
    inventory = vary(test_bed.inventory, copy, KNOWING, (relay.name for relay in test_bed.relays))
    run = Deploy(inventory, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()
    yield
    run = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()


def sent(
    program: MailProgram, outside: Maildir, endpoints: list[Endpoint], **headers: str
) -> dict[Endpoint, dict[str, str]]:
    """Send a message through each endpoint, and tell the headers of each as it arrived.

    :param headers: as with `letter`; Message-ID takes the place of its own
    """
    tokens = {endpoint: new_token() for endpoint in endpoints}
    for endpoint, token in tokens.items():
        message = letter(token)
        for name, value in headers.items():
            del message[name.replace("_", "-")]
            message[name.replace("_", "-")] = value
        with program.log_in(endpoint, USER) as conversation:
            reply = conversation.submit("somebody@relay.test", [outside_address(token)], message.as_bytes())
            assert reply.code == 250, reply
    arrived = {}
    for endpoint, token in tokens.items():
        settle(token, endpoint.relay.remote, outside.remote)
        (raw,) = outside.arrived(token, at_least=1)
        arrived[endpoint] = {name: str(value) for name, value in message_from_bytes(raw).items()}
    return arrived


def test_threads_hold_for_users_and_for_strangers(
    test_bed: TestBed, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [one for one in test_bed.endpoints if one.is_first and one.takes_logins]
    own = f"<{new_token()}@kitchen-pc>"
    for endpoint, found in sent(mail_program, outside, endpoints, Message_ID=own).items():
        assert found["Message-ID"] == own.replace("kitchen-pc", endpoint.relay.hostname)
    for relay in test_bed.relays:
        relay.remote.run("systemctl restart quietrelay-headers")
    answer = {"References": f"{STRANGERS} {own}", "In_Reply_To": STRANGERS}
    for endpoint, found in sent(mail_program, outside, endpoints, **answer).items():
        rewritten = own.replace("kitchen-pc", endpoint.relay.hostname)
        assert " ".join(found["References"].split()) == f"{STRANGERS} {rewritten}"
        assert found["In-Reply-To"] == STRANGERS


def test_a_date_leaves_as_the_same_moment_in_utc(
    test_bed: TestBed, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [one for one in test_bed.endpoints if one.is_first and one.takes_logins]
    arrived = sent(mail_program, outside, endpoints, Date="Thu, 20 Nov 2025 10:33:00 +0100")
    assert {found["Date"] for found in arrived.values()} == {"Thu, 20 Nov 2025 09:33:00 +0000"}


def test_what_is_no_id_leaves_as_one_that_says_nothing(
    test_bed: TestBed, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [one for one in test_bed.endpoints if one.is_first and one.takes_logins]
    no_id = "<20251120.kitchen-pc>"
    arrived = sent(mail_program, outside, endpoints, Message_ID=no_id, Content_ID=no_id)
    for endpoint, found in arrived.items():
        for name in ("Message-ID", "Content-ID"):
            assert re.fullmatch(rf"<[\da-f]{{32}}@{endpoint.relay.hostname}>", found[name]), found[name]
