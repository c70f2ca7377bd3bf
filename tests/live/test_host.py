"""The host itself: what runs, what is installed, and who may read what."""

import re

import pytest

from tests.live.landscape import Relay
from tests.live.vantage import PORTS

SOCKET = "/run/saslauthd/mux"
PATHS = {
    "/etc/saslauthd.conf": "600",
    "/etc/postfix/sasl/smtpd.conf": "644",
    "/etc/systemd/system/saslauthd.service": "644",
    "/etc/postfix/main.cf": "644",
    "/etc/postfix/master.cf": "644",
    "/etc/postfix/tls_policy": "644",
    "/etc/postfix/privacy.pcre": "644",
}


def test_users_reach_every_port_by_ipv4_and_ipv6(relay: Relay) -> None:
    listening = relay.remote.host.socket.get_listening_sockets()
    anywhere = {f"tcp://{address}:{port}" for address in ("0.0.0.0", "::") for port in PORTS}  # noqa: S104
    assert anywhere - set(listening) == set()


def test_relay_serves_now_and_after_a_reboot(relay: Relay) -> None:
    look = "systemctl show --value -p ActiveState -p UnitFileState postfix saslauthd"
    assert relay.remote.run(look).split() == ["active", "enabled"] * 2
    assert relay.remote.run("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.parametrize(("daemon", "least"), [("master", 1), ("saslauthd", 1)])
def test_a_service_called_active_has_a_daemon_behind_it(relay: Relay, daemon: str, least: int) -> None:
    # Debian 12 calls both active without one: an umbrella unit here, an init script there.
    running = relay.remote.host.process.filter(comm=daemon)
    assert len(running) >= least, f"no process {daemon}"


def test_packages_are_installed(relay: Relay) -> None:
    wanted = ["libsasl2-modules", "postfix", "postfix-pcre", "sasl2-bin", "telnet-ssl"]
    look = f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' {' '.join(wanted)} || true"
    assert sorted(relay.remote.run(look).splitlines()) == [f"installed {package}" for package in wanted]


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


def test_paths_belong_to_whom_they_should(relay: Relay) -> None:
    found = relay.remote.run(f"stat -c '%n %U %G %a' {' '.join(PATHS)}").splitlines()
    assert found == [f"{path} root root {mode}" for path, mode in PATHS.items()]


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
