"""Mail goes to the right server: that of the published key (DANE), or that of the policy (MTA-STS)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import policy_server, signed_dns
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Endpoint, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, vary
from tests.support.mail import Maildir, letter, new_token, wait_for_deferral
from tests.support.signed_dns import SignedDns
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "client", "directory", "account")]

RIGHT, WRONG, NONE = "right.test", "wrong.test", "none.test"
# With a policy by MTA-STS: that fits, does not, does not but is overruled, does not but there is a key.
FITS, OTHER, OVERRULED, BOTH = "fits.test", "other.test", "overruled.test", "both.test"
POLICIES = {
    FITS: "mx.outside.test",
    OTHER: "mx.other.test",
    OVERRULED: "mx.overruled.test",
    BOTH: "mx.no.test",
}
STS = f'"client_tls": settings.ClientTls(mta_sts=True, policy={{{OVERRULED!r}: "encrypt"}})'
KEY = "openssl x509 -noout -pubkey -in /etc/postfix/tls.pem | openssl pkey -pubin -outform DER | sha256sum"
DOWNLOAD = "apt-get -qq install --download-only --no-install-recommends postfix-mta-sts-resolver >/dev/null"
LEFT_OF_POLICIES = """
systemctl list-units --plain --no-legend '*mta-sts*'
ps -eo comm= | grep mta-sts || true
postconf -h smtp_tls_policy_maps | grep -i sts || true
find /etc/postfix /etc/systemd /run /usr/local -name '*mta-sts*'
"""
RECEIVE = "postconf -e 'virtual_mailbox_domains = {}' && postfix reload"


@pytest.fixture(scope="module")
def dns(test_bed: TestBed) -> Iterator[SignedDns]:
    """Have signed names of three domains outside."""
    outside = test_bed.others["outside"]
    key = outside.run(KEY).split()[0]
    domains = {RIGHT: f"3 1 1 {key}", WRONG: f"3 1 1 {key[::-1]}", NONE: "", OTHER: "", OVERRULED: ""}
    domains[BOTH] = domains[RIGHT]
    before = outside.run("postconf -h virtual_mailbox_domains").strip()
    outside.run(RECEIVE.format(f"{before}, {FITS}, {', '.join(domains)}"))
    test_bed.everywhere(DOWNLOAD)  # before there are no other names any more
    records = [f"{FITS}. MX 10 mx.outside.test.", *policy_server.records(POLICIES)]
    dns = signed_dns.start(test_bed, [*signed_dns.mail_domains(domains), *records])
    yield dns
    dns.stop()
    outside.run(RECEIVE.format(before))


@pytest.fixture(scope="module")
def deploy(test_bed: TestBed, pytestconfig: pytest.Config, dns: SignedDns) -> Iterator[Deploy]:
    """Deploy to relays whose resolver validates; at the end they have none, and no DANE."""
    dns.resolve()
    deploy = Deploy(test_bed.inventory, pytestconfig.rootpath)
    yield deploy
    test_bed.everywhere(f"cp {signed_dns.BEFORE} /etc/resolv.conf; postconf -e smtp_tls_security_level=may")
    back = deploy.run()
    assert back.status == 0, back.complaint()


def handed_in(program: MailProgram, endpoint: Endpoint, account: Account, recipient: str) -> str:
    """Have a user write to somebody, and give the letter's word."""
    token = new_token()
    with program.log_in(endpoint, account) as conversation:
        reply = conversation.submit("alice@relay.test", [recipient.format(token)], letter(token).as_bytes())
        assert reply.code == 250, reply
    return token


def test_where_a_resolver_validates_a_plan_says_so_and_a_run_turns_dane_on(
    test_bed: TestBed, deploy: Deploy
) -> None:
    plan = deploy.plan()
    assert plan.errors.count("with DANE towards other servers") == len(test_bed.relays), plan.errors
    run = deploy.run()
    assert run.status == 0, run.complaint()
    assert set(
        test_bed.everywhere("postconf -h smtp_tls_security_level smtp_dns_support_level").values()
    ) == {"dane\ndnssec\n"}
    assert deploy.run().changed == {}


def test_mail_goes_to_the_server_of_the_published_key_and_to_no_other(
    test_bed: TestBed, deploy: Deploy, mail_program: MailProgram, account: Account, outside: Maildir
) -> None:
    for relay in test_bed.relays:
        endpoint = endpoint_of(test_bed, relay)
        words = [handed_in(mail_program, endpoint, account, f"{{}}@{name}") for name in (RIGHT, NONE, WRONG)]
        right, none, wrong = words
        assert "not " in wait_for_deferral(wrong, relay.remote)
        assert outside.arrived(right, at_least=1)
        assert outside.arrived(none, at_least=1)
        assert outside.arrived(wrong) == []
        log = relay.remote.run("grep 'TLS connection established to mx' /var/log/postfix/mail.log")
        assert f"Verified TLS connection established to mx.{RIGHT}" in log
        assert f"Untrusted TLS connection established to mx.{NONE}" in log
        relay.remote.run("postsuper -d ALL")


def test_a_policy_counts_on_every_port_but_for_a_key_in_dns_and_the_operators_own(
    test_bed: TestBed,
    deploy: Deploy,
    mail_program: MailProgram,
    account: Account,
    outside: Maildir,
    pytestconfig: pytest.Config,
    tmp_path: Path,
) -> None:
    names = [relay.name for relay in test_bed.relays]
    with_policies = Deploy(vary(test_bed.inventory, tmp_path / "sts.py", STS, names), pytestconfig.rootpath)
    policy_server.start(test_bed, POLICIES)
    try:
        run = with_policies.run()
        assert run.status == 0, run.complaint()
        assert with_policies.run().changed == {}
        for relay in test_bed.relays:
            for port in (25, 465, 587):
                endpoint = endpoint_of(test_bed, relay, port)
                words = {
                    name: handed_in(mail_program, endpoint, account, f"{{}}@{name}")
                    for name in [*POLICIES, WRONG]
                }
                for name in (OTHER, WRONG):
                    assert "not verif" in wait_for_deferral(words.pop(name), relay.remote)
                for name, word in words.items():
                    assert outside.arrived(word, at_least=1), name
            log = relay.remote.run("grep 'TLS connection established to mx' /var/log/postfix/mail.log")
            assert "Verified TLS connection established to mx.outside.test" in log
            assert f"Verified TLS connection established to mx.{BOTH}" in log
            relay.remote.run("postsuper -d ALL")
        switched_off = deploy.run()
        assert switched_off.status == 0, switched_off.complaint()
        assert set(test_bed.everywhere(LEFT_OF_POLICIES).values()) == {""}
        assert deploy.run().changed == {}
        for relay in test_bed.relays:
            word = handed_in(mail_program, endpoint_of(test_bed, relay), account, f"{{}}@{OTHER}")
            assert outside.arrived(word, at_least=1)
    finally:
        policy_server.stop(test_bed)


def test_a_resolver_that_gives_what_is_signed_wrongly_is_refused_and_dane_stays(
    test_bed: TestBed, deploy: Deploy, dns: SignedDns
) -> None:
    dns.resolve(permissive=True)
    run = deploy.run()
    assert run.status != 0
    assert "the host delivers by DANE, and cannot any more: " in run.errors
    assert "answers for dnssec-failed.org, which is signed wrongly" in run.errors
    assert set(test_bed.everywhere("postconf -h smtp_tls_security_level").values()) == {"dane\n"}
    seen = quietrelay("doctor", test_bed.inventory)
    assert seen.returncode == 1
    assert seen.stdout.count("which is signed wrongly; have the host ask") == len(test_bed.relays), seen
