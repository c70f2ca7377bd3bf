"""The classic trace header: with the login, and still without the client."""

import re
from collections.abc import Iterator

import pytest

from lab.topology import user_named
from tests.support.at_once import at_once
from tests.support.bed import Account, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus_run import SENDER, Case, cases, what_arrived, without_additions
from tests.support.deploy import Deploy, vary
from tests.support.home import homes
from tests.support.mail import Maildir
from tests.support.secrets_of import found
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)
CLASSIC = """
"privacy": settings.Privacy(trace="classic", ids_known_days=None),
"submission": settings.Submission(auth_on_25=False)
"""


@pytest.fixture(scope="module")
def classic(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Deploy the relays with the classic trace header, and as they were at the end."""
    copy = tmp_path_factory.mktemp("classic") / "classic.py"
    inventory = vary(test_bed.inventory, copy, CLASSIC, (relay.name for relay in test_bed.relays))
    run = Deploy(inventory, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()
    yield
    run = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()


def test_trace_names_the_login_and_nothing_else(
    classic: None, test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.port != 25]
    sent = cases(endpoints, homes(client.remote)[0], "another-login")

    def send(case: Case) -> None:
        helo = case.helo.format(relay=case.relay.hostname)
        with mail_program.log_in(case.endpoint, USER, helo) as conversation:
            options = " SMTPUTF8" if case.utf8 else ""
            reply = conversation.submit(SENDER, case.recipients, case.sample.sent(case.values), options)
            assert reply.code == 250, (case, reply)

    at_once(send, sent)
    arrived = what_arrived(sent, outside)
    for case in sent:
        for reader in case.recipients:
            (raw,) = arrived[reader]
            trace = (
                rb"\nReceived: from \[127\.0\.0\.1\] \(localhost \[127\.0\.0\.1\]\)"
                rb" \(Authenticated sender: backslash\) by "
                + re.escape(case.relay.hostname).encode()
                + rb" \(Postfix\) with (UTF8SMTPSA|ESMTPSA) id [0-9A-Za-z]+; [^\n;]+\n"
            )
            assert re.search(trace, raw), raw
            assert found(raw, case.secrets) == [], case
            expected = case.sample.delivered(case.values)
            assert without_additions(raw, expected, case.relay.hostname).endswith(expected), case
