"""The host itself: what runs, what is installed, and who may read what."""

import re

import pytest

from tests.live.landscape import Relay
from tests.live.vantage import PORTS

SOCKET = "/run/saslauthd/mux"


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])  # noqa: S104
@pytest.mark.parametrize("port", PORTS)
def test_users_reach_every_port_by_ipv4_and_ipv6(relay: Relay, port: int, address: str) -> None:
    assert relay.remote.host.socket(f"tcp://{address}:{port}").is_listening


@pytest.mark.parametrize("service", ["postfix", "saslauthd"])
def test_relay_serves_now_and_after_a_reboot(relay: Relay, service: str) -> None:
    unit = relay.remote.host.service(service)
    assert unit.is_running
    assert unit.is_enabled
    assert relay.remote.run("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.parametrize(("daemon", "least"), [("master", 1), ("saslauthd", 1)])
def test_a_service_called_active_has_a_daemon_behind_it(relay: Relay, daemon: str, least: int) -> None:
    # Debian 12 calls both active without one: an umbrella unit here, an init script there.
    running = relay.remote.host.process.filter(comm=daemon)
    assert len(running) >= least, f"no process {daemon}"


@pytest.mark.parametrize(
    "package", ["postfix", "postfix-pcre", "sasl2-bin", "libsasl2-modules", "telnet-ssl"]
)
def test_package_is_installed(relay: Relay, package: str) -> None:
    assert relay.remote.host.package(package).is_installed


def test_postfix_is_the_one_of_its_release(relay: Relay) -> None:
    release = relay.remote.host.system_info.release.partition(".")[0]
    version = relay.remote.host.check_output("postconf -h mail_version").split(".")
    assert [int(part) for part in version[:2]] >= {"12": [3, 7], "13": [3, 10]}[release]


def test_postfix_may_ask_saslauthd_and_keeps_its_home(relay: Relay) -> None:
    user = relay.remote.host.user("postfix")
    assert "sasl" in user.groups
    assert user.group == "postfix"
    assert user.home == "/var/spool/postfix"
    home = relay.remote.host.file("/var/spool/postfix")
    assert (home.user, home.group, home.mode) == ("root", "root", 0o755)


@pytest.mark.parametrize(
    ("path", "owner", "group", "mode"),
    [
        ("/etc/saslauthd.conf", "root", "root", 0o600),
        ("/etc/postfix/sasl/smtpd.conf", "root", "root", 0o644),
        ("/etc/systemd/system/saslauthd.service", "root", "root", 0o644),
        ("/etc/postfix/main.cf", "root", "root", 0o644),
        ("/etc/postfix/master.cf", "root", "root", 0o644),
        ("/etc/postfix/tls_policy", "root", "root", 0o644),
        ("/etc/postfix/privacy.pcre", "root", "root", 0o644),
    ],
)
def test_path_belongs_to_whom_it_should(relay: Relay, path: str, owner: str, group: str, mode: int) -> None:
    file = relay.remote.host.file(path)
    assert (file.user, file.group, oct(file.mode)) == (owner, group, oct(mode))


def test_strangers_on_the_host_cannot_read_the_private_keys(relay: Relay) -> None:
    chain_files = relay.remote.run("postconf -xh smtpd_tls_chain_files").replace(",", " ").split()
    assert chain_files
    for path in chain_files:
        file = relay.remote.host.file(path)
        assert file.user == "root"
        if "PRIVATE KEY" in file.content_string:
            assert oct(file.mode & 0o077) == oct(0), path
    in_anybodys_reach = relay.remote.run(
        "find /etc/postfix /etc/saslauthd* -type f -perm /o=r"
        " -exec grep -lE 'PRIVATE KEY|ldap_password' {} + || true"
    )
    assert in_anybodys_reach == ""


def test_saslauthd_runs_without_rights_of_its_own(relay: Relay) -> None:
    uids = set(relay.remote.run("ps -o uid= -C saslauthd").split())
    assert uids
    assert "0" not in uids
    assert relay.remote.run("stat -c '%u %G %a' /run/saslauthd").split() == [*uids, "sasl", "710"]
    verdict = relay.remote.run("systemd-analyze security saslauthd --no-pager | tail -n 1")
    exposure = re.search(r"exposure level for saslauthd.service: ([\d.]+)", verdict)
    assert exposure, verdict
    assert float(exposure[1]) <= 2.0  # of 10, which is a daemon that may do everything


def test_a_user_of_the_host_cannot_ask_saslauthd_for_passwords(relay: Relay) -> None:
    reached = relay.remote.host.run(f"runuser -u nobody -- test -e {SOCKET}").rc
    assert reached != 0
    assert relay.remote.host.run(f"runuser -u postfix -- test -w {SOCKET}").rc == 0


def test_telnet_ssl_holds_the_conversation_of_the_guide(relay: Relay) -> None:
    # The guide's own hand test. telnet-ssl ends with its input, which is held open until the answer is there.
    heard = relay.remote.run(
        """
        answers=$(mktemp)
        { printf 'EHLO telnet.test\\r\\n'
          for look in $(seq 100); do grep -q '^250 ' $answers && break; sleep 0.05; done
          printf 'QUIT\\r\\n'
          for look in $(seq 100); do grep -q '^221 ' $answers && break; sleep 0.05; done
        } | telnet-ssl -z ssl localhost 465 >$answers 2>&1
        cat $answers; rm $answers
        """
    ).replace("\r", "")
    assert f"220 {relay.hostname} ESMTP" in heard, heard
    assert "250-AUTH PLAIN LOGIN" in heard or "250-AUTH LOGIN PLAIN" in heard, heard
    assert "221 " in heard, heard
