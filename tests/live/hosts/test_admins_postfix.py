"""A Postfix that an admin has set up before: users' mail passes no less, and tells no more."""

import shlex
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.topology import user_named
from tests.support import milter
from tests.support.bed import Account, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus import SAMPLES
from tests.support.corpus_run import cases, faults_of
from tests.support.deploy import Deploy
from tests.support.home import homes
from tests.support.mail import Maildir
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)
MILTER = b64encode(Path(milter.__file__).read_bytes()).decode()
# What would stop a step within the relay, if it had it from here; and helpers of the relay's own, which tell.
SETTINGS = {
    "default_destination_rate_delay": "600s",
    "default_transport_rate_delay": "600s",
    "smtp_destination_rate_delay": "0s",
    "smtp_transport_rate_delay": "0s",
    "relay_destination_rate_delay": "0s",
    "smtp_host_lookup": "dns, native",
    "smtp_skip_5xx_greeting": "no",
    "smtp_address_preference": "ipv6",
    "smtpd_client_connection_count_limit": "50",
    "smtpd_delay_open_until_valid_rcpt": "no",
    "smtpd_peername_lookup": "no",
    "smtpd_data_restrictions": "check_sender_access static:{PREPEND Received-SPF: pass client-ip=192.0.2.77}",
    "smtpd_milters": "inet:127.0.0.1:9925",
    # What keeps users out of each port, if it has it from here.
    "smtpd_delay_reject": "no",
    "smtpd_discard_ehlo_keywords": "auth, starttls",
    "smtpd_forbidden_commands": "AUTH",
    "smtpd_sasl_exceptions_networks": "static:all",
    "smtpd_upstream_proxy_protocol": "haproxy",
}
PUT = f"""
echo {MILTER} | base64 -d > /root/milter.py
systemd-run -q --unit=test-milter python3 /root/milter.py 9925 X-Originating-IP 192.0.2.77
postconf -e {shlex.join(f"{name}={value}" for name, value in SETTINGS.items())}
postconf -e inet_protocols=ipv4
postconf -P anonymize/unix/content_filter=smtp:[127.0.0.1]:9
postconf -F smtp/inet/command=postscreen smtp/inet/process_limit=1
postconf -M smtpd/pass='smtpd pass - - y - - smtpd'
systemctl restart postfix
"""
REMOVE = f"""
systemctl stop test-milter
postconf -X {shlex.join(SETTINGS)}
postconf -MX smtpd/pass
"""


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config) -> Iterator[Deploy]:
    """Give relays on which an admin has been."""
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    try:
        for relay in test_bed.relays:
            relay.remote.run(PUT)
        run = deploy.run()
        assert run.status == 0, run.complaint()
        yield deploy
    finally:
        for relay in test_bed.relays:
            relay.remote.run(REMOVE)
        back = deploy.run()
        assert back.status == 0, back.complaint()


def test_users_mail_passes_and_tells_nothing(
    deploy: Deploy, test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> None:
    samples = [sample for sample in SAMPLES if sample.name in ("roundcube", "telling-values", "apple-mail")]
    endpoints = [endpoint for endpoint in test_bed.endpoints if endpoint.takes_logins]
    sent = cases(endpoints, homes(client.remote)[0], USER.login, samples=samples)
    assert faults_of(sent, mail_program, USER, outside) == {}


def test_a_second_run_changes_nothing(deploy: Deploy) -> None:
    run = deploy.run()
    assert run.status == 0, run.complaint()
    assert run.changed == {}


def test_what_the_admin_has_set_stays(deploy: Deploy, test_bed: TestBed) -> None:
    for relay in test_bed.relays:
        found = relay.remote.run(f"postconf -h {shlex.join(SETTINGS)}").splitlines()
        assert found == list(SETTINGS.values())
