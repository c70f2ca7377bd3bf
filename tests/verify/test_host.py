"""The host itself: what runs, what is installed, and who may read what."""

import re

from tests.support.bed import Relay
from tests.support.client_host import PORTS

SOCKET = "/run/saslauthd/mux"
ANYWHERE = ("0.0.0.0", "[::]")  # noqa: S104
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
    listening = relay.remote.run("ss -Hltn | awk '{ print $4 }'").split()
    assert {f"{address}:{port}" for address in ANYWHERE for port in PORTS} <= set(listening)


def test_relay_serves_now_and_after_a_reboot(relay: Relay) -> None:
    shown = relay.remote.run(
        "systemctl show --value -p ActiveState -p UnitFileState postfix saslauthd;"
        " systemctl list-units --failed --plain --no-legend"
    )
    assert shown.split() == ["active", "enabled"] * 2


def test_a_service_called_active_has_a_daemon_behind_it(relay: Relay) -> None:
    # Debian 12 calls both active without one: an umbrella unit here, an init script there.
    assert {"master", "saslauthd"} <= set(relay.remote.run("ps -e -o comm=").split())


def test_packages_are_installed(relay: Relay) -> None:
    wanted = ["libsasl2-modules", "postfix", "postfix-pcre", "sasl2-bin", "telnet-ssl"]
    look = f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' {' '.join(wanted)} || true"
    assert sorted(relay.remote.run(look).splitlines()) == [f"installed {package}" for package in wanted]


def test_postfix_is_the_one_of_its_release(relay: Relay) -> None:
    release, version = relay.remote.run(
        '. /etc/os-release; echo "$VERSION_ID"; postconf -h mail_version'
    ).split()
    assert [int(part) for part in version.split(".")[:2]] >= {"12": [3, 7], "13": [3, 10]}[release]


def test_postfix_may_ask_saslauthd_and_keeps_its_home(relay: Relay) -> None:
    groups, group, account, home = relay.remote.run(
        "id -nG postfix; id -ng postfix; getent passwd postfix; stat -c '%U %G %a' /var/spool/postfix"
    ).splitlines()
    assert "sasl" in groups.split()
    assert group == "postfix"
    assert account.split(":")[5] == "/var/spool/postfix"
    assert home == "root root 755"


def test_paths_belong_to_whom_they_should(relay: Relay) -> None:
    found = relay.remote.run(f"stat -c '%n %U %G %a' {' '.join(PATHS)}").splitlines()
    assert found == [f"{path} root root {mode}" for path, mode in PATHS.items()]


def test_strangers_on_the_host_cannot_read_the_private_keys(relay: Relay) -> None:
    shown = relay.remote.run(
        """
        set -e
        chain=$(postconf -xh smtpd_tls_chain_files | tr , ' ')
        stat -Lc '%U %n' $chain
        grep -l 'PRIVATE KEY' $chain | xargs -r -I{} find -L {} -perm /077 -printf 'not for root alone: %p\\n'
        find /etc/postfix /etc/saslauthd* -type f -perm /o=r \
            -exec grep -HoE 'PRIVATE KEY|ldap_password' {} + || true
        """
    ).splitlines()
    assert shown
    assert [line for line in shown if not line.startswith("root /")] == []


def test_saslauthd_runs_without_rights_of_its_own(relay: Relay) -> None:
    *uids, directory, verdict = relay.remote.run(
        "ps -o uid= -C saslauthd | sort -u; stat -c '%u %G %a' /run/saslauthd;"
        " systemd-analyze security saslauthd --no-pager | tail -n 1"
    ).splitlines()
    (uid,) = (uid.strip() for uid in uids)
    assert uid != "0"
    assert directory == f"{uid} sasl 710"
    exposure = re.search(r"exposure level for saslauthd.service: ([\d.]+)", verdict)
    assert exposure, verdict
    assert float(exposure[1]) <= 2.0  # of 10, which is a daemon that may do everything


def test_a_user_of_the_host_cannot_ask_saslauthd_for_passwords(relay: Relay) -> None:
    looks = {"nobody": "test -e", "postfix": "test -w"}
    script = "".join(f"runuser -u {user} -- {look} {SOCKET} && echo {user};" for user, look in looks.items())
    assert relay.remote.run(f"{script} true").split() == ["postfix"]


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
