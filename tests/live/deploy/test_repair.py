"""Repair: a run puts right whatever was broken, leaves the admin's own alone, and is then done."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from lab.topology import SERVICE_PASSWORD
from tests.support.at_once import at_once
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.mail import Maildir, letter, new_token, outside_address, settle
from tests.support.smtp import MailProgram

pytestmark = pytest.mark.changes_the_relay


class Change(NamedTuple):
    """Something done to a relay, and how to see it."""

    command: str
    look: str
    """Prints what the change is about; the same text means the same state."""
    undo: str = ""


def owned_file(path: str, command: str) -> Change:
    """Change a file; what it holds is compared by its hash, and never printed."""
    return Change(command.format(path=path), f"sha256sum {path}; stat -c '%U:%G %a' {path}")


SASLAUTHD_UNIT = "/etc/systemd/system/saslauthd.service"

DAMAGES = {
    "parameter changed": Change("postconf -e smtpd_tls_auth_only=no", "postconf -n smtpd_tls_auth_only"),
    "parameter removed": Change(
        "postconf -X smtpd_relay_restrictions", "postconf -n smtpd_relay_restrictions"
    ),
    "parameter of old guides added": Change("postconf -e smtpd_use_tls=no", "postconf -n smtpd_use_tls"),
    "option of submission changed": Change(
        "postconf -P submission/inet/smtpd_tls_security_level=may",
        "postconf -P submission/inet/smtpd_tls_security_level",
    ),
    "option of smtp removed": Change(
        "postconf -PX smtp/inet/smtpd_data_restrictions", "postconf -P smtp/inet/smtpd_data_restrictions"
    ),
    "smtpd chrooted": Change("postconf -F smtp/inet/chroot=y", "postconf -F smtp/inet/chroot"),
    "submissions removed": Change("postconf -MX submissions/inet", "postconf -F submissions/inet/chroot"),
    "submissions' options removed": Change("true", "postconf -P 'submissions/inet/*' | sort"),
    "smtpd.conf edited": owned_file(
        "/etc/postfix/sasl/smtpd.conf", "sed -i 's/^mech_list:.*/mech_list: PLAIN LOGIN CRAM-MD5/' {path}"
    ),
    "saslauthd.conf edited": Change(
        "sed -i 's/^ldap_filter:.*/ldap_filter: (cn=*)/' /etc/saslauthd.conf", "sha256sum /etc/saslauthd.conf"
    ),
    "saslauthd.conf readable by all": Change(
        "chmod 0644 /etc/saslauthd.conf", "stat -c '%U:%G %a' /etc/saslauthd.conf"
    ),
    "unit file edited": owned_file(SASLAUTHD_UNIT, "sed -i 's/0710/0755/' {path}"),
    "gate edited": owned_file(
        "/usr/local/lib/quietrelay/gate.py", "sed -i 's/return not self.outage/return True or/' {path}"
    ),
    "judge of ids edited": owned_file(
        "/usr/local/lib/quietrelay/headers.py", "sed -i 's/return True$/return False/' {path}"
    ),
    "postfix taken out of group sasl": Change("gpasswd -d postfix sasl", "id -nG postfix | grep -ow sasl"),
    "saslauthd disabled": Change("systemctl disable saslauthd", "systemctl is-enabled saslauthd"),
    "privacy's rules emptied": owned_file("/etc/postfix/privacy.pcre", ": > {path}"),
    "key readable by all": Change(
        "chmod 0644 /etc/postfix/tls/relay.pem", "stat -c '%U:%G %a' /etc/postfix/tls/relay.pem"
    ),
    "TLS policy deleted": owned_file("/etc/postfix/tls_policy", "rm {path}"),
    "whoever is on the host may try passwords": Change(
        "chmod 755 /run/saslauthd; chmod 777 /run/saslauthd/mux",
        "stat -c '%G %a' /run/saslauthd /run/saslauthd/mux",
    ),
    "the judge's directory given away": Change(
        "chown nobody /run/quietrelay-headers",
        "test $(stat -c %U /run/quietrelay-headers) = nobody && echo given",
    ),
}

# Done when the rest is repaired: a daemon that has to be started is told nothing while it runs.
STOPS = {
    "saslauthd stopped": Change("systemctl stop saslauthd", "systemctl is-active saslauthd"),
    "judge of ids stopped": Change(
        "systemctl stop quietrelay-headers", "systemctl is-active quietrelay-headers"
    ),
    "postfix stopped": Change(
        "systemctl stop postfix", "postfix status >/dev/null 2>&1 && echo runs || echo stopped"
    ),
}

ADMINS_OWN = {
    "parameter": Change(
        "postconf -e message_size_limit=33554432",
        "postconf -n message_size_limit",
        undo="postconf -X message_size_limit",
    ),
    "option": Change(
        "postconf -P submission/inet/smtpd_client_connection_count_limit=77",
        "postconf -P submission/inet/smtpd_client_connection_count_limit",
        undo="postconf -PX submission/inet/smtpd_client_connection_count_limit",
    ),
    "service": Change(
        "postconf -M 'slow/unix=slow unix - - n - 1 smtp'",
        "postconf -M slow/unix",
        undo="postconf -MX slow/unix",
    ),
}

State = Mapping[str, str]


@dataclass(frozen=True)
class History:
    """What was done to the relays, in this order, and how they were after each step."""

    untouched: Run
    healthy: dict[Relay, State]
    broken: dict[Relay, State]
    plan: Run
    planned: dict[Relay, State]
    repair: Run
    repaired: dict[Relay, State]
    stopped: dict[Relay, State]
    start: Run
    started: dict[Relay, State]
    as_root: Run


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Deploy:
    """Give the deploy."""
    return Deploy(test_bed.inventory, pytestconfig.rootpath)


@pytest.fixture(scope="module")
def history(test_bed: TestBed, deploy: Deploy) -> Iterator[History]:
    """Break everything on all relays at once, plan, repair; stop the daemons, start them; run as root."""

    def all_look() -> dict[Relay, State]:
        return at_once(look, test_bed.relays)

    def all_do(commands: Iterable[str]) -> None:
        test_bed.everywhere("\n".join(["set -e", *commands]))

    deploy.run()  # what other tests put back is as it was, and yet new to daemons that read it
    untouched = deploy.run()
    healthy = all_look()
    try:
        all_do(change.command for change in [*DAMAGES.values(), *ADMINS_OWN.values()])
        broken, plan, planned = all_look(), deploy.plan(), all_look()
        repair, repaired = deploy.run(), all_look()
        all_do(change.command for change in STOPS.values())
        stopped, start, started = all_look(), deploy.run(), all_look()
        as_root = deploy.run("--data", "ssh_user=root", "--data", "_sudo=false")
        yield History(
            untouched, healthy, broken, plan, planned, repair, repaired, stopped, start, started, as_root
        )
    finally:
        all_do(f"{change.undo} || true" for change in ADMINS_OWN.values())
        deploy.run()


def look(relay: Relay) -> State:
    """See what all changes are about, in one remote command."""
    changes = DAMAGES | STOPS | ADMINS_OWN
    shown = relay.remote.run(
        "\n".join(f"{{ {change.look}; }} 2>/dev/null; echo '{MARK}'" for change in changes.values())
    )
    return dict(zip(changes, shown.split(f"{MARK}\n")[:-1], strict=True))


MARK = "---- end of a look ----"


def test_a_run_on_a_finished_relay_changes_nothing(history: History) -> None:
    assert history.untouched.changed == {}
    assert history.untouched.failed == {}
    assert history.untouched.unchanged > 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_repairs_what_was_broken(history: History, relay: Relay, damage: str) -> None:
    assert history.repair.status == 0, history.repair.complaint()
    assert history.broken[relay][damage] != history.healthy[relay][damage], "the damage did nothing"
    assert history.repaired[relay][damage] == history.healthy[relay][damage]


@pytest.mark.parametrize("daemon", STOPS)
def test_a_run_starts_what_was_stopped(history: History, relay: Relay, daemon: str) -> None:
    assert history.start.status == 0, history.start.complaint()
    assert history.stopped[relay][daemon] != history.healthy[relay][daemon], "it did not stop"
    assert history.started[relay][daemon] == history.healthy[relay][daemon]


@pytest.mark.parametrize("addition", ADMINS_OWN)
def test_what_an_admin_added_stays(history: History, relay: Relay, addition: str) -> None:
    added = history.broken[relay][addition]
    assert added != history.healthy[relay][addition], "nothing was added"
    assert history.repaired[relay][addition] == history.started[relay][addition] == added


def test_a_plan_changes_nothing(history: History) -> None:
    assert history.plan.status == 0, history.plan.complaint()
    assert history.planned == history.broken


@pytest.mark.parametrize(
    "path",
    [
        "/etc/saslauthd.conf",
        SASLAUTHD_UNIT,
        "/etc/postfix/sasl/smtpd.conf",
        "/etc/postfix/tls_policy",
        "/etc/postfix/privacy.pcre",
        "main.cf and master.cf",
    ],
)
def test_a_plan_names_what_would_change(history: History, test_bed: TestBed, path: str) -> None:
    (line,) = [line for line in history.plan.errors.splitlines() if re.search(rf"\| Write {path} ", line)]
    assert f" {len(test_bed.relays)} (" in line


def test_a_plan_shows_no_secrets(history: History, test_bed: TestBed) -> None:
    shown = history.plan.output + history.plan.errors
    assert "ldap_filter" not in shown or "ldap_password" not in shown
    secrets = [SERVICE_PASSWORD, SERVICE_PASSWORD.split()[0], "PRIVATE KEY"]
    for relay in test_bed.relays:
        secrets += relay.remote.run(
            "sed '/PRIVATE KEY/,/PRIVATE KEY/!d; /PRIVATE/d' /etc/postfix/tls/*"
        ).split()
    assert [secret for secret in secrets if secret in shown] == []


def test_a_run_as_root_finds_the_same_relay_and_nothing_to_do(history: History) -> None:
    assert history.as_root.changed == {}
    assert history.as_root.failed == {}
    assert history.as_root.unchanged == history.untouched.unchanged


@pytest.mark.needs("outside", "directory")
def test_a_repaired_relay_serves_its_users(
    history: History, mail_program: MailProgram, outside: Maildir, login_endpoint: Endpoint, account: Account
) -> None:
    token = new_token()
    with mail_program.log_in(login_endpoint, account) as conversation:
        assert conversation.envelope("somebody@relay.test", outside_address(token)).code == 250
        assert conversation.hand_in(letter(token).as_bytes()).code == 250
    settle(token, login_endpoint.relay.remote, outside.remote)
    (raw,) = outside.arrived(token)
    assert account.login.encode() not in raw
