"""An ACME server issues the relay's certificate, from the first run on, and the host renews it."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lab import certificates
from lab.certificates import Certificate
from tests.support import acme_server
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, Run, vary
from tests.support.mail import new_token
from tests.support.senders import sending
from tests.support.shown import RENEW, SERIALS, replace, serial_of, wait_until_shown
from tests.support.smtp import MailProgram
from tests.support.trusting import Trusting
from tests.support.watching import KEYS, unread

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "client", "directory", "account")]

PEM = "/etc/postfix/tls/acme.pem"
FOR_REFUSED = f'"relay": settings.Relay(service_names=[{acme_server.REFUSED!r}])'
DAY = timedelta(days=1)
RENEWALS = 3
CLOSED = """
apt-get -qq install --no-install-recommends nftables >/dev/null
cat >/etc/nftables.conf <<'END'
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iif lo accept
        meta l4proto { 1, 58 } accept
        tcp dport 22 accept
    }
}
END
systemctl enable --quiet nftables
systemctl restart nftables || { journalctl -u nftables -o cat >&2; exit 1; }
"""
CLOSED_BY_UFW = """
apt-get -qq install --no-install-recommends ufw >/dev/null
ufw allow 22/tcp >/dev/null && ufw --force enable >/dev/null
"""
WEBROOT = "/srv/acme"
WEB_SERVER = f"""
mkdir -p {WEBROOT}
systemd-run --quiet --unit=test-web python3 -m http.server --bind :: --directory {WEBROOT} 80
if command -v ufw; then ufw allow 80/tcp; else nft add rule inet filter input tcp dport 80 accept; fi >&2
timeout 10 bash -c 'until (: </dev/tcp/127.0.0.1/80) 2>/dev/null; do sleep 0.1; done'
"""
# Keys, as OpenSSL and lego write them; programs that handle them name such a line without the next.
SECRETS = [*KEYS, acme_server.DNS_SECRET]
HOLDS_KEYS = (
    "grep -rlsE -e '-----BEGIN .*PRIVATE KEY-----$' /etc /root /run /srv /tmp /usr/local /var"
    " | grep -vE '^/etc/(ssh/|ssl/private/ssl-cert-snakeoil)' || true"
)


class With:
    """The deploy with an ACME server, as an operator calls it."""

    def __init__(self, test_bed: TestBed, folder: Path, root: Path) -> None:
        """Choose where the operator's files are, and the program's."""
        self._test_bed, self._folder, self._root = test_bed, folder, root
        self.inventory = str(folder / "acme.py")

    def __call__(self, directory: str = acme_server.DIRECTORY, more: str = "", beside: str = "") -> Run:
        """Deploy.

        :param directory: the server's
        :param more: further settings of the section, in Python
        :param beside: further sections
        """
        ca = str(self._folder / "ca.pem")
        section = f"settings.Acme(email='me@relay.test', directory={directory!r}, ca={ca!r}, {more})"
        names = [relay.name for relay in self._test_bed.relays]
        vary(self._test_bed.inventory, Path(self.inventory), f'"certificate": {section}, {beside}', names)
        return Deploy(self.inventory, self._root).run()


@pytest.fixture(scope="module")
def authorities(test_bed: TestBed) -> Iterator[str]:
    """Have an ACME server, and give the CAs that its users trust."""
    yield acme_server.start(test_bed)
    acme_server.stop(test_bed)


@pytest.fixture(scope="module")
def deployed(
    test_bed: TestBed,
    authorities: str,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[With]:
    """Deploy with an ACME server; at the end the relays are as they were."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "ca.pem").write_text(authorities)
    (folder / "dns.key").write_text(f"{acme_server.DNS_SECRET}\n")
    yield With(test_bed, folder, pytestconfig.rootpath)
    for relay in test_bed.relays:
        test_bed.keeper.reset(relay.name)
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert back.status == 0, back.complaint()


@pytest.fixture(scope="module")
def program(test_bed: TestBed, authorities: str, tmp_path_factory: pytest.TempPathFactory) -> MailProgram:
    path = tmp_path_factory.mktemp("users") / "ca.pem"
    path.write_text(authorities)
    return Trusting(test_bed, path)


@pytest.fixture(scope="module")
def empty(test_bed: TestBed) -> None:
    """Have hosts on which nothing is but a firewall that keeps everything out, of a kind on each."""
    for relay, close in zip(test_bed.relays, (CLOSED, CLOSED_BY_UFW), strict=True):
        test_bed.keeper.reset(relay.name)
        relay.remote.close()
        relay.remote.run(close)


def test_a_server_that_issues_none_is_refused_where_the_operator_wants_that(
    test_bed: TestBed, deployed: With, empty: None
) -> None:
    for directory, beside, why in (
        (acme_server.NOBODY, "", "connection refused"),
        (acme_server.LIMITED, "", "rateLimited"),
        (acme_server.DIRECTORY, FOR_REFUSED, "rejectedIdentifier"),
    ):
        run = deployed(directory, "if_unavailable='refuse'", beside)
        assert run.status != 0
        assert run.errors.count(why) >= len(test_bed.relays), run.errors
    assert set(
        test_bed.everywhere("ls /etc/postfix/tls 2>/dev/null; postconf -h smtpd_tls_chain_files").values()
    ) == {"\n"}


def test_without_the_server_a_first_run_brings_a_relay_up_and_says_so(
    test_bed: TestBed, deployed: With, empty: None
) -> None:
    for _ in range(2):
        run = deployed(acme_server.NOBODY)
        assert run.status == 0, run.complaint()
        assert run.errors.count("the host's own CA") == len(test_bed.relays), run.errors
    shown = test_bed.everywhere(f"openssl x509 -noout -issuer -in {PEM}; {SERIALS}")
    for said in shown.values():
        assert "own CA" in said
        assert said.count("serial=") == 1


def test_a_certificate_for_another_name_stays_out(test_bed: TestBed, deployed: With, empty: None) -> None:
    before = test_bed.everywhere(f"sha256sum {PEM}")
    run = deployed(acme_server.ELSEWHERE)
    assert run.status == 0, run.complaint()
    assert run.errors.count("certificate is for elsewhere.example, not for") == len(test_bed.relays), (
        run.errors
    )
    assert test_bed.everywhere(f"sha256sum {PEM}") == before


def test_the_server_issues_through_a_firewall_that_is_closed_again(
    test_bed: TestBed, deployed: With, program: MailProgram, account: Account, empty: None
) -> None:
    with unread(test_bed.relays, SECRETS):
        run = deployed()
    assert run.status == 0, run.complaint()
    assert "stands in" not in run.errors
    for relay in test_bed.relays:
        for port in (25, 465, 587):
            with program.open_secure(endpoint_of(test_bed, relay, port)) as conversation:
                assert "Pebble" in conversation.certificate().issuer.rfc4514_string()
    rules = test_bed.everywhere("nft list ruleset 2>/dev/null || iptables-save")
    assert all("dport 80" not in said and "dport 22" in said for said in rules.values())
    accounts = test_bed.everywhere("find /var/lib/quietrelay/acme -type f -printf '%m\\n' | sort -u")
    assert set(accounts.values()) == {"600\n"}
    assert deployed().changed == {}


def test_three_renewals_of_an_acme_servers_while_users_send(
    test_bed: TestBed, deployed: With, program: MailProgram, account: Account, empty: None
) -> None:
    ends = [end for end in test_bed.endpoints if end.takes_logins and end.is_first and end.port != 25]
    shown = set()
    with sending(program, ends, account, new_token(), people=2) as senders:
        for _ in range(RENEWALS):
            old = {relay: aged(test_bed, relay) for relay in test_bed.relays}
            with unread(test_bed.relays, SECRETS):
                test_bed.everywhere(RENEW)
            for relay, serial in test_bed.everywhere(SERIALS).items():
                assert serial != f"{serial_of(old[relay])}\n"
                assert serial == relay.remote.run(f"openssl x509 -noout -serial -in {PEM}")
                shown.add(serial)
        senders.wait()
    assert len(shown) == RENEWALS * len(test_bed.relays)
    assert senders.refused == []
    senders.arrived_once(test_bed)
    print(f"{RENEWALS} renewals on each relay, {len(senders.taken)} messages, none refused or lost")


def test_a_name_that_the_server_refuses_leaves_what_serves(
    test_bed: TestBed, deployed: With, empty: None
) -> None:
    shown = test_bed.everywhere(SERIALS)
    assert deployed().changed == {}
    names = [*(relay.name for relay in test_bed.relays), acme_server.REFUSED]
    refused = deployed(beside=f'"relay": settings.Relay(service_names={names!r})')
    assert refused.status != 0
    assert refused.errors.count("rejectedIdentifier") >= len(test_bed.relays), refused.errors
    assert test_bed.everywhere(SERIALS) == shown


def test_what_cannot_be_renewed_stays_and_is_told(test_bed: TestBed, deployed: With, empty: None) -> None:
    old = {relay: aged(test_bed, relay) for relay in test_bed.relays}
    assert deployed(acme_server.LIMITED).status == 0
    said = test_bed.everywhere(f"! {RENEW} 2>/dev/null; journalctl -u quietrelay-certificate -o cat -n 8")
    for relay, words in said.items():
        assert "rateLimited" in words
        assert relay.remote.run(SERIALS) == f"{serial_of(old[relay])}\n"


def test_dns_proves_the_names_and_old_devices_get_a_key_of_theirs(
    test_bed: TestBed, deployed: With, program: MailProgram, empty: None
) -> None:
    dns = f"challenge='dns', dns_server='{acme_server.HOST}', dns_key='acme', dns_key_file='dns.key'"
    with unread(test_bed.relays, SECRETS):
        run = deployed(more=f"{dns}, key_types=['ecdsa', 'rsa']")
    assert run.status == 0, run.complaint()
    assert "is not what it should be" not in run.errors
    for relay in test_bed.relays:
        endpoint = endpoint_of(test_bed, relay, 465)
        for ciphers, kind in (("ECDHE+aECDSA", "EC"), ("ECDHE+aRSA", "RSA")):
            trust = program.trust(relay)
            trust.maximum_version = ssl.TLSVersion.TLSv1_2
            trust.set_ciphers(ciphers)
            with program.open_secure(endpoint) as conversation:
                assert kind in type(conversation.certificate().public_key()).__name__
    assert deployed(more=f"{dns}, key_types=['ecdsa', 'rsa']").changed == {}


def test_a_web_server_of_the_operators_shows_the_proof(
    test_bed: TestBed, deployed: With, empty: None
) -> None:
    test_bed.everywhere(WEB_SERVER)
    webroot = f"webroot='{WEBROOT}'"
    run = deployed(more=webroot)
    assert run.status == 0, run.complaint()
    assert "is not what it should be" not in run.errors
    old = {relay: aged(test_bed, relay) for relay in test_bed.relays}
    test_bed.everywhere(f"{RENEW} || {{ journalctl -u quietrelay-certificate -o cat -n 20 >&2; exit 1; }}")
    for relay, serial in test_bed.everywhere(SERIALS).items():
        assert serial != f"{serial_of(old[relay])}\n"
        assert serial == relay.remote.run(f"openssl x509 -noout -serial -in {PEM}")
    assert set(test_bed.everywhere(f"find {WEBROOT} -type f; systemctl stop test-web").values()) == {""}
    assert deployed(more=webroot).changed == {}


def test_removal_takes_accounts_and_keys_along(test_bed: TestBed, deployed: With, empty: None) -> None:
    held = test_bed.everywhere(HOLDS_KEYS)
    assert all(PEM in files and "/var/lib/quietrelay/acme/" in files for files in held.values()), held
    done = quietrelay("remove", deployed.inventory, "-y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(test_bed.everywhere(HOLDS_KEYS).values()) == {""}


def aged(test_bed: TestBed, relay: Relay) -> Certificate:
    """Have the relay show one that is in its last month."""
    authority = certificates.ensure_authority()
    old = certificates.issue(authority, relay.hostname, lifetime=29 * DAY, age=61 * DAY)
    relay.remote.run(replace(PEM, old.key + old.certificate) + "postfix reload")
    wait_until_shown(relay, old)
    return old
