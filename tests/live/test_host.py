"""The host itself: what runs, what is installed, and who may read what."""

import re

from tasks.activation.packages import WANTED
from tasks.login import part as sasl
from tasks.login.backend import SMTPD_CONF
from tasks.login.dovecot import daemon as dovecot
from tasks.login.dovecot import ldap as dovecot_ldap
from tasks.login.dovecot import passwd_file as dovecot_passwd_file
from tasks.login.saslauthd import checks as saslauthd_checks
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.saslauthd import ldap, pam, rimap
from tasks.login.sasldb import backend as sasldb
from tasks.senders import part as senders
from tasks.settings import SaslauthdPam, Settings
from tests.live.landscape import Relay
from tests.live.vantage import PORTS

ANYWHERE = ("0.0.0.0", "[::]")  # noqa: S104
PATHS = {
    "/etc/postfix/main.cf": "root root 644",
    "/etc/postfix/master.cf": "root root 644",
    "/etc/postfix/tls_policy": "root root 644",
    "/etc/postfix/privacy.pcre": "root root 644",
}
# Whom and what the ways to log in put on a host, of which each has some.
PATHS_FOR_LOGINS = {
    SMTPD_CONF: "root root 644",
    ldap.CONF: "root root 600",
    ldap.DIRECTORY_CA: "root root 644",
    pam.SERVICE: "root root 644",
    rimap.IMAP_CA: "root root 644",
    saslauthd.UNIT: "root root 644",
    saslauthd.GATE: "root root 644",
    sasldb.DATABASE: "root postfix 640",
    dovecot.UNIT: "root root 644",
    dovecot.CONF: "root dovecot 640",
    dovecot_passwd_file.USERS: "root dovecot 640",
    dovecot_ldap.CONF: "root dovecot 640",
    dovecot_ldap.DIRECTORY_CA: "root root 644",
    dovecot_ldap.LINK: "root root 644",
    dovecot_ldap.LINK_UNIT: "root root 644",
}
AUTHORITIES = {ldap.DIRECTORY_CA, rimap.IMAP_CA, dovecot_ldap.DIRECTORY_CA}  # where the inventory has one
# What Postfix asks: how test(1) has it that nobody may, and that Postfix may.
ASKED = {
    saslauthd_checks.SOCKET: ("-e", "-w"),
    dovecot_ldap.ASKED.path: ("-e", "-w"),
    dovecot.SOCKET: ("-w", "-w"),
    sasldb.DATABASE: ("-r", "-r"),
}
# The directories in /run of the units that check passwords: group and mode.
IN_RUN = {"saslauthd": "sasl 710", "quietrelay-ldap": "sasl 710", "quietrelay-dovecot": "dovecot 755"}


def units(relay: Settings) -> list[str]:
    """Name the units that check passwords in the relay's way to log in."""
    way = sasl.chosen(relay)
    return [unit for left in (way.LEAVES, way.ASKED.leaves) for unit, _ in left.units]


def paths_for_logins(relay: Settings) -> set[str]:
    """Name the files that the relay's way to log in has on a host."""
    way = sasl.chosen(relay)
    paths = {SMTPD_CONF} if way.ASKED.smtpd_conf else set()
    for left in (way.LEAVES, way.ASKED.leaves):
        paths |= {*left.files, *left.signed, *(unit_file for _, unit_file in left.units)}
    return paths if getattr(relay.login, "ca_file", None) else paths - AUTHORITIES


def asked(relay: Settings) -> str:
    """Tell what Postfix asks: a socket, or by libsasl the accounts themselves."""
    way = sasl.chosen(relay).ASKED
    return way.smtpd_conf.get("saslauthd_path") or way.smtpd_conf.get("sasldb_path") or way.path


def processes(unit: str) -> str:
    """Write a shell word for the ids of a unit's processes."""
    return f"$(cat /sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs)"


def test_users_reach_every_port_by_ipv4_and_ipv6(relay: Relay) -> None:
    listening = relay.remote.run("ss -Hltn | awk '{ print $4 }'").split()
    assert {f"{address}:{port}" for address in ANYWHERE for port in PORTS} <= set(listening)


def test_relay_serves_now_and_after_a_reboot(relay: Relay) -> None:
    wanted = ["postfix", *units(relay.settings)]
    shown = relay.remote.run(
        f"systemctl show --value -p ActiveState -p UnitFileState {' '.join(wanted)};"
        " systemctl list-units --failed --plain --no-legend"
    )
    assert shown.split() == ["active", "enabled"] * len(wanted)


def test_a_service_called_active_has_a_daemon_behind_it(relay: Relay) -> None:
    # Debian 12 calls both active without one: an umbrella unit here, an init script there.
    assert "master" in relay.remote.run("ps -e -o comm=").split()
    daemons = {"saslauthd": "saslauthd", "quietrelay-dovecot": "dovecot", "quietrelay-ldap": "python3"}
    for unit in units(relay.settings):
        assert daemons[unit] in relay.remote.run(f"ps -o comm= {processes(unit)}").split()


def test_packages_are_installed(relay: Relay) -> None:
    wanted = {*WANTED, *sasl.chosen(relay.settings).PACKAGES, *senders.packages(relay.settings)}
    look = f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' {' '.join(wanted)} || true"
    assert sorted(relay.remote.run(look).splitlines()) == sorted(f"installed {package}" for package in wanted)


def test_postfix_is_the_one_of_its_release(relay: Relay) -> None:
    release, version = relay.remote.run(
        '. /etc/os-release; echo "$VERSION_ID"; postconf -h mail_version'
    ).split()
    assert [int(part) for part in version.split(".")[:2]] >= {"12": [3, 7], "13": [3, 10]}[release]


def test_postfix_may_ask_who_checks_passwords_and_keeps_its_home(relay: Relay) -> None:
    groups, group, account, home = relay.remote.run(
        "id -nG postfix; id -ng postfix; getent passwd postfix; stat -c '%U %G %a' /var/spool/postfix"
    ).splitlines()
    assert "sasl" in groups.split()
    assert group == "postfix"
    assert account.split(":")[5] == "/var/spool/postfix"
    assert home == "root root 755"


def test_paths_belong_to_whom_they_should(relay: Relay) -> None:
    wanted = PATHS | {path: PATHS_FOR_LOGINS[path] for path in paths_for_logins(relay.settings)}
    found = relay.remote.run(f"stat -c '%n %U %G %a' {' '.join(wanted)}").splitlines()
    assert found == [f"{path} {rights}" for path, rights in wanted.items()]


def test_strangers_on_the_host_cannot_read_the_private_keys(relay: Relay) -> None:
    shown = relay.remote.run(
        """
        set -e
        chain=$(postconf -xh smtpd_tls_chain_files | tr , ' ')
        stat -Lc '%U %n' $chain
        grep -l 'PRIVATE KEY' $chain | xargs -r -I{} find -L {} -perm /077 -printf 'not for root alone: %p\\n'
        find /etc/postfix /etc/saslauthd* /etc/dovecot/quietrelay* -type f -perm /o=r \
            -exec grep -HoE 'PRIVATE KEY|ldap_password|^dnpass|ldap_auth_dn_password' {} + || true
        """
    ).splitlines()
    assert shown
    assert [line for line in shown if not line.startswith("root /")] == []


def test_who_checks_passwords_runs_without_rights_of_its_own(relay: Relay) -> None:
    for unit in units(relay.settings):
        *rights, directory, verdict = relay.remote.run(
            f"for pid in {processes(unit)}; do"
            " sed -nE 's/^(Uid|CapEff):\t(\\S+).*/\\2/p' /proc/$pid/status | paste -s -; done | sort -u;"
            f" stat -c '%u %G %a' /run/{unit}; systemd-analyze security {unit} --no-pager | tail -n 1"
        ).splitlines()
        ((uid, capabilities),) = (line.split() for line in rights)
        assert int(capabilities, 16) == 0
        # pam_unix(8) tells the passwords' hashes to root alone.
        assert (uid == "0") == isinstance(relay.settings.login, SaslauthdPam)
        assert directory == f"{uid} {IN_RUN[unit]}"
        exposure = re.search(rf"exposure level for {unit}.service: ([\d.]+)", verdict)
        assert exposure, verdict
        assert float(exposure[1]) <= 2.0  # of 10, which is a daemon that may do everything


def test_a_user_of_the_host_cannot_ask_for_passwords(relay: Relay) -> None:
    path = asked(relay.settings)
    looks = dict(zip(("nobody", "postfix"), ASKED[path], strict=True))
    script = "".join(
        f"runuser -u {user} -- test {look} {path} && echo {user};" for user, look in looks.items()
    )
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
    offered = re.search(r"^250-AUTH (.*)$", heard, re.MULTILINE)
    assert offered, heard
    assert sorted(offered[1].split()) == sorted(sasl.mechanisms(relay.settings))
    assert "221 " in heard, heard
