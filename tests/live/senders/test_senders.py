"""Who may send as whom: owners from the directory, from a file, from the login; and nobody asked for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.topology import SERVICE_PASSWORD, SHARED_ADDRESS, USERS
from tasks.logs.part import LOG
from tasks.senders.part import DIRECTORY, DIRECTORY_CA, FILE
from tests.support.at_once import at_once
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.mail import new_token, outside_address
from tests.support.remote import Remote
from tests.support.smtp import Conversation, MailProgram, Reply
from tests.support.tampering import RESTART

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory", "outside")]

INVENTORY = """
import runpy

from tasks.settings import *

_hosts, _data = runpy.run_path({inventory!r})["relays"]
_login = _data["login"].model_copy(update={{"names": "both"}})  # by user name, and by address
relays = (_hosts, _data | {{"login": _login, "senders": {senders}}})
"""
# The order in which the relays go from one to the next.
CHOICES = {
    "directory": 'SendersFromDirectory(filter="(|(mail=%s)(mailLocalAddress=%s))")',
    "file": "SendersFromFile(file={file!r})",
    "login": 'SendersByLogin(domains=["relay.test", "second.test"])',
    "off": "AnySender()",
}
OWNERS = f"""\
# Who may send as whom.
alice@relay.test alice
Grüße@Relay.Test  alice
{SHARED_ADDRESS} alice, bob
@whole.test alice
b.example@relay.test bob
"""

ALICE, BOB = (Account(user.uid, user.password) for user in USERS[:2])
ALICES = USERS[0].aliases[0]
BOBS = USERS[1].aliases[0]
SENDERS = {
    "her own": "alice@relay.test",
    "her own in other letters": "ALICE@Relay.Test",
    "her own with an extension": "alice+news@relay.test",
    "her own, by a source route": "@relay.test:alice@relay.test",
    "her alias": ALICES,
    "one shared with bob": SHARED_ADDRESS,
    "her own at a second domain": "alice@second.test",
    "one of a whole domain": "anything@whole.test",
    "not ASCII": "grüße@relay.test",
    "none": "",
    "bob's": "bob@relay.test",
    "bob's with an extension": "bob+news@relay.test",
    "bob's in quotes": '"bob"@relay.test',
    "bob's with a final dot": "bob@relay.test.",
    "bob's alias": BOBS,
    "bob and alice at once": '"bob alice"@relay.test',
    "bob, alice at once": '"bob,alice"@relay.test',
    "anybody's by a pattern": "*@relay.test",
    "a filter's end": "*)(uid=*@relay.test",
    "nobody's": "nobody@relay.test",
    "a stranger's": "stranger@elsewhere.test",
    "a domain that ends like ours": "alice@not-relay.test",
    "a domain that begins like ours": "alice@relay.test.elsewhere.test",
}
ALWAYS = {
    "her own",
    "her own in other letters",
    "her own with an extension",
    "her own, by a source route",
    "none",
}
OWNED = {
    "directory": ALWAYS | {"her alias", "one shared with bob"},
    "file": ALWAYS | {"one shared with bob", "one of a whole domain", "not ASCII"},
    "login": ALWAYS | {"her own at a second domain"},
    "off": set(SENDERS),
}
AT_A_TIME = 9  # refusals in a conversation; after more, Postfix answers slowly (smtpd_soft_error_limit)


@dataclass(frozen=True)
class Seen:
    """What the relays did while owners were looked up in one way."""

    run: Run
    again: Run | None
    replies: Mapping[Endpoint, Mapping[str, Reply]]
    by_address: Mapping[Relay, Mapping[str, Reply]]
    to_strangers: Mapping[Relay, Mapping[str, Reply]]
    left: Mapping[Relay, str]


@dataclass(frozen=True)
class History:
    """What was seen with each choice, and what became of mail while the directory could not be asked."""

    seen: Mapping[str, Seen]
    secrets: Mapping[Relay, str]
    unasked: Mapping[Relay, Mapping[str, Reply]]
    asked_again: Mapping[Relay, Reply]
    misled: Mapping[Relay, Reply]


@pytest.fixture(scope="module")
def history(
    test_bed: TestBed,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[History]:
    """Go from one choice to the next; at the end the relays are as the inventory has them."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "senders").write_text(OWNERS)
    seen = {}
    try:
        for choice, senders in CHOICES.items():
            inventory = folder / f"{choice}.py"
            inventory.write_text(
                INVENTORY.format(
                    inventory=str(Path(test_bed.inventory).resolve()),
                    senders=senders.format(file=str(folder / "senders")),
                )
            )
            deploy = Deploy(str(inventory), pytestconfig.rootpath)
            run = deploy.run()
            assert run.status == 0, run.complaint()
            seen[choice] = look(test_bed, mail_program, run, deploy.run() if choice == "directory" else None)
            if choice == "directory":
                secrets = {relay: who_reads(relay, SERVICE_PASSWORD.split()[1]) for relay in test_bed.relays}
                unasked, asked_again = without_directory(test_bed, mail_program)
                misled = with_a_wrong_ca(test_bed, mail_program)
        yield History(seen, secrets, unasked, asked_again, misled)
    finally:
        Deploy(test_bed.inventory, pytestconfig.rootpath).run()


def look(test_bed: TestBed, program: MailProgram, run: Run, again: Run | None) -> Seen:
    """Try every sender at every port, and look at what lies on the relays."""
    first = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first]
    return Seen(
        run,
        again,
        at_once(lambda endpoint: replies_to(program, endpoint, WRITTEN[endpoint.port], SENDERS), first),
        at_once(
            lambda relay: replies_to(program, endpoint_of(test_bed, relay), QUALIFIED, SENDERS),
            test_bed.relays,
        ),
        {
            endpoint.relay: replies_to_a_stranger(program, endpoint)
            for endpoint in first
            if endpoint.port == 25
        },
        test_bed.everywhere(WHAT_IS_LEFT),
    )


# libsasl takes blanks and line ends from around a name (canonusr.c); all who are asked know it without.
WRITTEN = {25: ALICE, 465: Account("alice\r\n", ALICE.password), 587: Account("\talice ", ALICE.password)}
QUALIFIED = Account("alice@relay.test", ALICE.password)
WHAT_IS_LEFT = f"""
ls {FILE} {DIRECTORY} {DIRECTORY_CA} 2>/dev/null
{{ postconf -n; postconf -P; }} | grep -E 'quietrelay_senders|sender_login' || true
"""


def replies_to(
    program: MailProgram, endpoint: Endpoint, account: Account, senders: Mapping[str, str]
) -> dict[str, Reply]:
    """Log in, and name each sender with a recipient outside."""
    replies = {}
    names = list(senders)
    for start in range(0, len(names), AT_A_TIME):
        with program.log_in(endpoint, account) as conversation:
            for name in names[start : start + AT_A_TIME]:
                replies[name] = reply_to(conversation, senders[name])
    return replies


def reply_to(conversation: Conversation, sender: str) -> Reply:
    """Name a sender and a recipient outside, and begin anew."""
    reply = conversation.envelope(sender, outside_address(new_token()), options=" SMTPUTF8")
    conversation.say("RSET")
    return reply


def replies_to_a_stranger(program: MailProgram, endpoint: Endpoint) -> dict[str, Reply]:
    """Bring mail to the relay itself without a login, before and after TLS."""
    replies = {}
    for title, opened in {"in the clear": program.open, "under TLS": program.open_secure}.items():
        with opened(endpoint) as conversation:
            conversation.ehlo_or_helo_if_needed()
            replies[title] = conversation.envelope(
                "alice@relay.test", f"postmaster@{endpoint.relay.hostname}"
            )
            conversation.say("RSET")
    return replies


def without_directory(
    test_bed: TestBed, program: MailProgram
) -> tuple[dict[Relay, dict[str, Reply]], dict[Relay, Reply]]:
    """Log in, stop the directory, and name senders; then let it come back."""
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.port == 465]
    open_conversations = {endpoint.relay: program.log_in(endpoint, ALICE) for endpoint in endpoints}
    with stopped(test_bed.others["directory"]):
        unasked = {
            relay: {name: reply_to(conversation, SENDERS[name]) for name in ("her own", "bob's")}
            for relay, conversation in open_conversations.items()
        }
    asked_again = {}
    for relay, conversation in open_conversations.items():
        with conversation:
            asked_again[relay] = reply_to(conversation, SENDERS["her own"])
    return unasked, asked_again


@contextmanager
def stopped(directory: Remote) -> Iterator[None]:
    """Have no directory for a while."""
    directory.run("systemctl stop slapd")
    try:
        yield
    finally:
        directory.run("systemctl start slapd")


def with_a_wrong_ca(test_bed: TestBed, program: MailProgram) -> dict[Relay, Reply]:
    """Have the relays trust somebody else's CA, their own, for the directory that tells owners."""
    replies = {}
    for endpoint in (
        endpoint for endpoint in test_bed.endpoints if endpoint.is_first and endpoint.port == 465
    ):
        remote = endpoint.relay.remote
        remote.run(f"cp -p {DIRECTORY_CA} /root/ca.kept; cat /etc/postfix/tls/ca.pem > {DIRECTORY_CA}")
        remote.run(RESTART)
        try:
            with program.log_in(endpoint, ALICE) as conversation:
                replies[endpoint.relay] = reply_to(conversation, SENDERS["her own"])
        finally:
            remote.run(f"mv /root/ca.kept {DIRECTORY_CA}\n{RESTART}")
    return replies


def who_reads(relay: Relay, secret: str) -> str:
    """Find which files with a secret lie in anybody's reach, after seeing that it lies somewhere."""
    relay.remote.run(f"grep -q -e {secret!r} {DIRECTORY}")
    return relay.remote.run(f"runuser -u nobody -- grep -rls -e {secret!r} /etc || true")


@pytest.mark.parametrize("choice", CHOICES)
def test_a_user_sends_from_what_is_hers_and_from_nothing_else(
    history: History, first_endpoint: Endpoint, choice: str
) -> None:
    replies = history.seen[choice].replies[first_endpoint]
    expected = {sender: 250 if sender in OWNED[choice] else 553 for sender in SENDERS}
    assert {sender: reply.code for sender, reply in replies.items()} == expected, replies


def test_who_has_blanks_around_her_name_is_known_by_the_name_alone(history: History, relay: Relay) -> None:
    assert history.seen
    logged = relay.remote.run(f"grep -hoP 'sasl_method=.*sasl_username=\\K.*' {LOG} | sort -u").splitlines()
    assert "alice" in logged
    assert [name for name in logged if "alice" in name and name not in ("alice", "alice@relay.test")] == []


def test_who_logs_in_by_address_sends_from_that_address_alone(history: History, relay: Relay) -> None:
    replies = history.seen["login"].by_address[relay]
    taken = {sender for sender, reply in replies.items() if not reply.refuses}
    assert taken == ALWAYS


@pytest.mark.parametrize("choice", ["directory", "file"])
def test_a_login_that_no_table_names_sends_nothing(history: History, relay: Relay, choice: str) -> None:
    replies = history.seen[choice].by_address[relay]
    assert {sender for sender, reply in replies.items() if not reply.refuses} == {"none"}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("how", ["in the clear", "under TLS"])
def test_strangers_bring_mail_from_users_addresses_as_before(
    history: History, relay: Relay, choice: str, how: str
) -> None:
    # What a list or a forwarder sends on comes in so.
    assert history.seen[choice].to_strangers[relay][how].code == 250


@pytest.mark.parametrize("sender", ["her own", "bob's"])
def test_mail_is_deferred_while_the_directory_cannot_tell(
    history: History, relay: Relay, sender: str
) -> None:
    assert history.unasked[relay][sender].code == 451, history.unasked[relay][sender]


def test_mail_is_taken_again_once_the_directory_is_back(history: History, relay: Relay) -> None:
    assert history.asked_again[relay].code == 250


def test_a_directory_with_somebody_elses_certificate_is_not_believed(history: History, relay: Relay) -> None:
    assert history.misled[relay].code == 451


def test_nobody_reads_the_directorys_password(history: History, relay: Relay) -> None:
    assert history.secrets[relay] == ""


def test_a_second_run_changes_nothing(history: History) -> None:
    assert history.seen["directory"].again is not None
    assert history.seen["directory"].again.changed == {}


@pytest.mark.parametrize(
    ("choice", "files", "table"),
    [
        ("directory", [DIRECTORY_CA, DIRECTORY], f"ldap:{DIRECTORY}"),
        ("file", [FILE], f"texthash:{FILE}"),
        ("login", [], "pcre:{"),
    ],
)
def test_nothing_of_the_former_is_left(
    history: History, relay: Relay, choice: str, files: list[str], table: str
) -> None:
    shown = history.seen[choice].left[relay]
    assert sorted(line for line in shown.splitlines() if line.startswith("/")) == sorted(files)
    assert f"quietrelay_senders = {table}" in shown


def test_nothing_is_left_where_anybody_may_send_as_anybody(history: History, relay: Relay) -> None:
    assert history.seen["off"].left[relay] == ""


def test_postfix_has_nothing_to_warn_of(history: History, relay: Relay) -> None:
    warnings = relay.remote.run("grep -h 'no SASL support' /var/log/postfix/mail.log* || true")
    assert warnings == ""
