"""An admin's Postfix that would bare users or stop their mail is refused by name, and nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.deploy import Deploy, Run, vary
from tests.support.mail import LocalMail, letter, new_token, settle
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

# Each: a command that puts it there, one that removes it, and what is said of it.
OBSTACLES = {
    "many at once": (
        "postconf -e receive_override_options=no_header_body_checks master_service_disable=submission.inet"
        " smtpd_end_of_data_restrictions=permit header_checks=pcre:/etc/postfix/filter;"
        " echo '/^Subject:/ FILTER smtp:[127.0.0.1]:9' >/etc/postfix/filter;"
        " postconf -M '127.0.0.1:587/inet=127.0.0.1:587 inet n - y - - smtpd'",
        "postconf -X receive_override_options master_service_disable smtpd_end_of_data_restrictions"
        " header_checks; rm -f /etc/postfix/filter; postconf -MX 127.0.0.1:587/inet",
        "main.cf has receive_override_options = no_header_body_checks, which leads users' mail round",
        "main.cf has master_service_disable = submission.inet, which keeps submission from running",
        "main.cf has smtpd_end_of_data_restrictions = permit, which leads users' mail round",
        "main.cf has header_checks = pcre:/etc/postfix/filter, which leads users' mail round",
        "master.cf has 127.0.0.1:587 inet, which listens on port 587 beside ours",
    ),
    "a host that is not fit": (
        "systemctl mask --quiet --runtime postfix; mkdir -p /run/systemd/system/service.d;"
        " printf '[Service]\\nProtectProc=\\nUMask=0\\n' >/run/systemd/system/service.d/50.conf;"
        " cp /etc/hosts /run/hosts; echo 127.0.0.9 directory.relay.test >>/etc/hosts;"
        " mount -t tmpfs -o size=8m tmpfs /var/spool/postfix",
        "systemctl unmask --quiet --runtime postfix; rm -r /run/systemd/system/service.d;"
        " cat /run/hosts >/etc/hosts; umount /var/spool/postfix; systemctl daemon-reload",
        "login: ldap://directory.relay.test: nobody listens there; start the server, or correct its",
        "/var/spool/postfix has 8 MB left where 36 are needed; make room there, or",
        "postfix.service is masked, so that it cannot run; allow it: systemctl unmask postfix.service",
        "/run/systemd/system/service.d/50.conf has UMask=0, and without its own UMask saslauthd.service is",
    ),
    "proxy in main.cf": (
        "postconf -e smtpd_proxy_filter=127.0.0.1:10025",
        "postconf -X smtpd_proxy_filter",
        "main.cf has smtpd_proxy_filter = 127.0.0.1:10025, which leads users' mail round the rewriting",
    ),
    "proxy of submission": (
        "postconf -P submission/inet/smtpd_proxy_filter=127.0.0.1:10025",
        "postconf -PX submission/inet/smtpd_proxy_filter",
        "submission/inet in master.cf has smtpd_proxy_filter = 127.0.0.1:10025, which leads users'",
    ),
    "smarthost that begins with TLS": (
        "postconf -e relayhost=[mx.outside.test]:465 smtp_tls_wrappermode=yes",
        "postconf -X relayhost smtp_tls_wrappermode",
        "main.cf has smtp_tls_wrappermode = yes, which delivers nothing where TLS is optional, as "
        "client_tls.security_level has it, 'may'; set ClientTls(security_level='encrypt')",
    ),
}
# What any run that goes on puts back.
DAMAGE = "postconf -X disable_vrfy_command"
LOOK = "sha256sum /etc/postfix/*.cf /var/lib/dpkg/status; find /etc /usr/local -newercm /run/mark"
ENCRYPTED = '"client_tls": settings.ClientTls(security_level="encrypt")'


@dataclass(frozen=True)
class Refusal:
    """A run, and how the hosts were before and after it."""

    run: Run
    before: dict[Relay, str]
    after: dict[Relay, str]
    words: tuple[str, ...]


@pytest.fixture(scope="module", params=OBSTACLES)
def refusal(request: pytest.FixtureRequest, test_bed: TestBed, pytestconfig: pytest.Config) -> Refusal:
    """Put an obstacle on the relays, and run; at the end it is gone."""
    put, remove, *words = OBSTACLES[request.param]
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)

    def everywhere(script: str) -> dict[Relay, str]:
        return {relay: relay.remote.run(script) for relay in test_bed.relays}

    try:
        everywhere(f"{DAMAGE} && {put}")
        before = everywhere(f"touch /run/mark; {LOOK}")
        run = deploy.run()
        after = everywhere(LOOK)
    finally:
        everywhere(remove)
        back = deploy.run()
    assert back.status == 0, back.complaint()
    return Refusal(run, before, after, tuple(words))


def test_what_would_bare_users_or_stop_their_mail_is_refused_by_name(
    refusal: Refusal, test_bed: TestBed
) -> None:
    assert refusal.run.status != 0
    everyone = ", ".join(sorted(relay.name for relay in test_bed.relays))
    for words in refusal.words:
        (line,) = [line for line in refusal.run.errors.splitlines() if words in line]
        assert f"{test_bed.inventory} ({everyone}): " in line


def test_nothing_was_changed_when_it_is_refused(refusal: Refusal, relay: Relay) -> None:
    assert refusal.after[relay] == refusal.before[relay]


def test_users_mail_on_25_passes_the_relay_whatever_the_smarthost_needs(
    test_bed: TestBed,
    mail_program: MailProgram,
    local_mail: Callable[[Relay], LocalMail],
    account: Account,
    pytestconfig: pytest.Config,
    tmp_path: Path,
) -> None:
    names = [relay.name for relay in test_bed.relays]
    encrypted = vary(test_bed.inventory, tmp_path / "encrypted.py", ENCRYPTED, names)
    token = new_token()
    try:
        for relay in test_bed.relays:
            relay.remote.run("postconf -e smtp_tls_wrappermode=yes smtp_tls_security_level=encrypt")
        deployed = Deploy(encrypted, pytestconfig.rootpath).run()
        assert deployed.status == 0, deployed.complaint()
        for relay in test_bed.relays:
            mail = local_mail(relay)
            with mail_program.log_in(endpoint_of(test_bed, relay, 25), account) as conversation:
                assert (
                    conversation.envelope(f"{token}@relay.test", f"postmaster@{relay.hostname}").code == 250
                )
                assert conversation.hand_in(letter(token).as_bytes()).code == 250
            settle(token, relay.remote)
            assert len(mail.arrived(token)) == 1
    finally:
        for relay in test_bed.relays:
            relay.remote.run("postconf -X smtp_tls_wrappermode")
        back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
        assert back.status == 0, back.complaint()
