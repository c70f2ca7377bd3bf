"""Fail closed: where the rules do not work, users' mail waits; it is never let out as it came."""

from collections.abc import Callable

import pytest

from lab.topology import user_named
from tests.support import tampering
from tests.support.bed import Account, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus import SAMPLES
from tests.support.corpus_run import SENDER, Case, cases, faults_of, judge_all, what_arrived
from tests.support.home import homes
from tests.support.mail import LocalMail, Maildir, letter, new_token, settle, wait_for_deferral
from tests.support.smtp import MailProgram, Reply

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)

# Shell commands; $RULES is the file.
BREAKAGES = {
    "missing": 'rm "$RULES"',
    "no file": 'rm "$RULES"; mkdir "$RULES"',
    "link to nowhere": 'ln -sf /nowhere "$RULES"',
    "empty": ': > "$RULES"',
    "cut off in its first rule": 'head -c 900 "$RULES" > "$RULES.cut"; mv "$RULES.cut" "$RULES"',
    "every pattern broken": 'sed -i "s,^/\\^,/^(," "$RULES"',
    "first pattern broken": 'sed -i "0,/^\\/\\^/s,^/\\^,/^(," "$RULES"',
    "every line broken": 'sed -i "s/^/x/" "$RULES"',
    "binary": 'head -c 4096 /dev/urandom > "$RULES"',
}


def test_mail_waits_while_nobody_judges_its_ids(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    samples = [sample for sample in SAMPLES if sample.name in ("roundcube", "thunderbird")]
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.takes_logins]
    sent = cases(endpoints, homes(client.remote)[0], USER.login, samples=samples)
    try:
        for relay in test_bed.relays:
            relay.remote.run("systemctl stop quietrelay-headers")
        for case in sent:
            reply = hand_in(mail_program, case)
            assert reply.code == (250 if case.endpoint.port == 25 else 451), (case, reply)
        for relay in test_bed.relays:
            assert "451" in wait_for_deferral(sent[0].batch, relay.remote)
        assert outside.arrived(sent[0].batch) == []
    finally:
        for relay in test_bed.relays:
            relay.remote.run("systemctl start quietrelay-headers; postqueue -f")
    kept = [case for case in sent if case.endpoint.port == 25]
    arrived = what_arrived(sent, outside)
    assert {str(case): judge_all(case, arrived) for case in kept} == {str(case): [] for case in kept}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_mail_waits_while_the_rules_are_broken(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir, breakage: str
) -> None:
    samples = [sample for sample in SAMPLES if sample.name == "roundcube"]
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.takes_logins]
    sent = cases(endpoints, homes(client.remote)[0], USER.login, samples=samples)
    with tampering.broken(test_bed.relays, BREAKAGES[breakage]):
        for case in sent:
            reply = hand_in(mail_program, case)
            # On 25 the relay has taken the mail before it reaches the rules, and keeps it.
            assert reply.code == (250 if case.endpoint.port == 25 else 451), (case, reply)
        for relay in test_bed.relays:
            deferred = wait_for_deferral(sent[0].batch, relay.remote)
            assert "451" in deferred, deferred
        assert outside.arrived(sent[0].batch) == []
    for relay in test_bed.relays:
        relay.remote.run("postqueue -f")
    arrived = what_arrived(sent, outside)
    kept = [case for case in sent if case.endpoint.port == 25]
    assert set(arrived) == {reader for case in kept for reader in case.recipients}
    assert {str(case): judge_all(case, arrived) for case in kept} == {str(case): [] for case in kept}


@pytest.mark.parametrize("breakage", ["missing", "empty"])
def test_strangers_mail_comes_in_while_the_rules_are_broken(
    relay: Relay,
    test_bed: TestBed,
    mail_program: MailProgram,
    local_mail: Callable[[Relay], LocalMail],
    breakage: str,
) -> None:
    (endpoint,) = [
        one for one in test_bed.endpoints if one.relay is relay and one.port == 25 and one.is_first
    ]
    mail, token = local_mail(relay), new_token()
    with tampering.broken([relay], BREAKAGES[breakage]), mail_program.open_secure(endpoint) as conversation:
        reply = conversation.envelope(f"{token}@elsewhere.test", f"postmaster@{relay.hostname}")
        assert reply.code == 250, reply
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
        settle(token, relay.remote)
    assert len(mail.arrived(token)) == 1


def test_rules_alone_do_where_the_guard_is_lost(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.takes_logins]
    sent = cases(endpoints, homes(client.remote)[0], USER.login)
    with tampering.edited(test_bed.relays, edit_guard=tampering.none):
        assert faults_of(sent, mail_program, USER, outside) == {}


def hand_in(program: MailProgram, case: Case) -> Reply:
    """Hand in one message."""
    with program.log_in(case.endpoint, USER, case.helo.format(relay=case.relay.hostname)) as conversation:
        return conversation.submit(SENDER, case.recipients, case.sample.sent(case.values))
