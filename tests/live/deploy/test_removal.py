"""Removal: a host is as it was before the first deploy, be it new or with an admin's Postfix in use.

One relay was a new host, and its packages go as well; the other had a Postfix and a firewall of an admin's.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.topology import SERVICE_PASSWORD
from tests.support.bed import Relay, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, Run
from tests.support.smtp import MailProgram
from tests.support.watching import KEYS, unread

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

ADMIN = r"""
export DEBIAN_FRONTEND=noninteractive
echo 'postfix postfix/main_mailer_type select Internet Site' | debconf-set-selections
apt-get -q=2 install -y --no-install-recommends postfix sasl2-bin nftables >/dev/null 2>&1
postconf -e 'relayhost = [outside.relay.test]' 'smtpd_banner = hello there'
postconf -e smtpd_tls_auth_only=no inet_protocols=ipv4
postconf -F smtp/inet/command=postscreen smtp/inet/process_limit=1
postconf -M smtpd/pass='smtpd pass - - y - - smtpd'
postconf -M 'smtps/inet=smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes'
postconf -M 'mine/unix=mine unix - n n - - pipe flags=DRXhu user=nobody argv=/usr/bin/true -d ${recipient}'
printf '# of the admin\npwcheck_method: auxprop\n' > /etc/postfix/sasl/smtpd.conf
cat >/etc/nftables.conf <<'END'
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iif lo accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport { 22, 25 } accept
    }
}
END
systemctl enable --quiet saslauthd nftables
systemctl restart nftables postfix
"""
LATER = r"""
postconf -e message_size_limit=33554432
postconf -M 'slow/unix=slow unix - - n - 1 smtp -o syslog_name=slow'
"""
LATER_LINES = [
    "message_size_limit = 33554432",
    "slow       unix  -       -       n       -       1       smtp",
    "    -o syslog_name=slow",
]
# What no deploy writes, and what changes by itself.
ELSEWHERE = (
    "proc|sys|dev|run|tmp|root|home|usr/share|var/cache|var/log"
    "|var/lib/apt|var/lib/dpkg|var/lib/postfix|var/spool/postfix/pid"
)
LOOKS = {
    "files": f"find / -xdev -regextype egrep -regex '/({ELSEWHERE})' -prune -o -printf '%p %u:%g %m %l\\n'",
    "of packages": "cat /var/lib/dpkg/info/*.list",
    "units": (
        "systemctl list-unit-files --no-legend | awk '{print $1, $2}';"
        " systemctl list-units --all --no-legend 'quietrelay*'"
    ),
    "rules": "nft list ruleset 2>/dev/null || true; cat /etc/nftables.conf 2>/dev/null || true",
    "configuration": "cat /etc/postfix/main.cf /etc/postfix/master.cf 2>/dev/null || true",
    "members": "id -nG postfix 2>/dev/null || true",
    "smtpd.conf": "cat /etc/postfix/sasl/smtpd.conf 2>/dev/null || true",
}
# Postfix's package leaves the first two where it is purged; links of one that stays; the admin's socket.
EXPECTED = (
    *("/etc/aliases", "/etc/mailname", "/etc/alternatives/telnet", "/usr/bin/telnet"),
    "/var/spool/postfix/private/slow",
)

State = dict[str, list[str]]


@dataclass(frozen=True)
class History:
    """What two hosts were before the first deploy, and after the removal."""

    new: Relay
    admins: Relay
    before: dict[Relay, State]
    after: dict[Relay, State]
    greeting: str
    again: "subprocess.CompletedProcess[str]"
    deployed_again: Run


def look(relay: Relay) -> State:
    """See what a host is, as far as a deploy could have changed it."""
    return {name: relay.remote.run(script).splitlines() for name, script in LOOKS.items()}


@pytest.fixture(scope="module")
def history(
    test_bed: TestBed,
    mail_program: MailProgram,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[History]:
    """Begin with two hosts in their first state, deploy, remove, remove again, and deploy."""
    new, admins = test_bed.relays
    root, inventory = pytestconfig.rootpath, str(Path(test_bed.inventory).resolve())
    deploy = Deploy(inventory, root)

    def remove(*words: str) -> "subprocess.CompletedProcess[str]":
        return quietrelay("remove", inventory, "-y", *words, stderr=subprocess.STDOUT)

    for relay in test_bed.relays:
        test_bed.keeper.reset(relay.name)
        relay.remote.close()  # its connection leads to a host that is gone
        mail_program.forget(relay)
    try:
        admins.remote.run(ADMIN)
        before = {relay: look(relay) for relay in test_bed.relays}
        first = deploy.run()
        assert first.status == 0, first.complaint()
        admins.remote.run(LATER)
        with unread(test_bed.relays, [SERVICE_PASSWORD, *KEYS]):
            for words in (["--limit", new.name, "--packages"], ["--limit", admins.name]):
                done = remove(*words)
                assert done.returncode == 0, done.stdout
        after = {relay: look(relay) for relay in test_bed.relays}
        with test_bed.client_host.connect(admins.addresses["IPv4"], 25, timeout=20) as connection:
            greeting = connection.recv(4096).decode()
        again = remove()
    finally:
        deployed_again = deploy.run()
    yield History(new, admins, before, after, greeting, again, deployed_again)
    test_bed.keeper.reset(admins.name)
    admins.remote.close()
    back = deploy.run()
    assert back.status == 0, back.complaint()


def test_nothing_of_the_relay_is_left(history: History, relay: Relay) -> None:
    before, after = history.before[relay], history.after[relay]
    of_packages = {*after["of packages"]}
    added = {line.split()[0] for line in after["files"]} - {line.split()[0] for line in before["files"]}
    assert sorted(path for path in added - of_packages if not path.startswith(EXPECTED)) == []


def test_nothing_that_was_there_is_gone_or_anybody_elses(history: History, relay: Relay) -> None:
    before, after = history.before[relay], history.after[relay]
    assert [line for line in before["files"] if line not in {*after["files"]}] == []


def test_units_and_rules_and_members_are_as_before(history: History, relay: Relay) -> None:
    for name in ("units", "rules", "members"):
        assert history.after[relay][name] == history.before[relay][name], name


def test_packages_that_were_not_there_are_gone_where_that_was_asked(history: History) -> None:
    assert not {"/usr/sbin/postfix", "/usr/bin/telnet-ssl"} & {*history.after[history.new]["of packages"]}


def test_an_admins_postfix_is_as_before_with_what_the_admin_has_set_since(history: History) -> None:
    before, after = history.before[history.admins], history.after[history.admins]
    assert [line for line in after["configuration"] if line not in LATER_LINES] == before["configuration"]
    assert [line for line in after["configuration"] if line in LATER_LINES] == LATER_LINES
    assert after["smtpd.conf"] == before["smtpd.conf"] == ["# of the admin", "pwcheck_method: auxprop"]


def test_an_admins_postfix_answers_as_before(history: History) -> None:
    assert history.greeting.startswith("220")
    assert "hello there" in history.greeting


def test_a_second_removal_changes_nothing(history: History) -> None:
    assert history.again.returncode == 0, history.again.stdout
    assert history.again.stdout.splitlines()[-1] == "Done: nothing had to be changed."


def test_a_deploy_after_it_is_a_first_deploy(history: History) -> None:
    assert history.deployed_again.status == 0, history.deployed_again.complaint()
    packages = history.deployed_again.changed[
        "Packages | Install Postfix, what checks passwords, and telnet-ssl"
    ]
    assert packages == [history.new.name]
    for path in ("/etc/saslauthd.conf", "/etc/postfix/privacy.pcre"):
        written = history.deployed_again.changed[f"Files | Write {path}"]
        assert sorted(written) == sorted(relay.name for relay in (history.new, history.admins))
