"""The host itself: what runs, what is installed, and who may read what."""

import re

from deploy import relay as desired
from tasks.host.facts.host import UNKNOWN
from tasks.login.libsasl import SMTPD_CONF
from tasks.part import File, Part
from tasks.settings import SaslauthdPam
from tests.support.bed import Relay
from tests.support.client_host import PORTS

ANYWHERE = {"ipv4": "0.0.0.0", "ipv6": "[::]"}  # noqa: S104
SHARED = {"/etc/postfix/main.cf": "root root 644", "/etc/postfix/master.cf": "root root 644"}
# What Postfix asks about passwords: how test(1) has it that nobody may, and that Postfix may.
ASKED = {
    "/run/saslauthd/mux": ("-e", "-w"),
    "/run/quietrelay-ldap/postfix": ("-e", "-w"),
    "/run/quietrelay-dovecot/postfix": ("-w", "-w"),
    "/etc/postfix/sasldb2": ("-r", "-r"),
}
# The daemons that Postfix asks: the program, and group and mode of the directory in /run.
DAEMONS = {
    "saslauthd": ("saslauthd", "sasl 710"),
    "quietrelay-dovecot": ("dovecot", "dovecot 755"),
    "quietrelay-ldap": ("python3", "sasl 710"),
    "quietrelay-headers": ("python3", "postfix 710"),
}


def wanted(relay: Relay) -> Part:
    """Say what the inventory wants of a relay."""
    return desired(relay.settings, UNKNOWN)


def units(relay: Relay) -> list[str]:
    """Name the units that Postfix needs."""
    return [daemon.unit for daemon in wanted(relay).daemons]


def asked(relay: Relay) -> str:
    """Tell what Postfix asks: a socket, or by libsasl the accounts themselves."""
    part = wanted(relay)
    if libsasl := part.files.get(SMTPD_CONF):
        assert isinstance(libsasl, File)
        found = re.search(r"^(?:saslauthd|sasldb)_path: (.*)$", str(libsasl.content()), re.MULTILINE)
        assert found
        return found[1]
    return str(part.postfix.parameters["smtpd_sasl_path"])


def processes(unit: str) -> str:
    """Write a shell word for the ids of a unit's processes."""
    return f"$(cat /sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs)"


def test_users_reach_every_port_in_every_family(relay: Relay) -> None:
    listening = relay.remote.run("ss -Hltn | awk '{ print $4 }'").split()
    families = relay.settings.relay.address_families
    addresses = [address for family, address in ANYWHERE.items() if families in (family, "all")]
    assert {f"{address}:{port}" for address in addresses for port in PORTS} <= set(listening)


def test_relay_serves_now_and_after_a_reboot(relay: Relay) -> None:
    names = ["postfix", *units(relay)]
    shown = relay.remote.run(
        f"systemctl show --value -p ActiveState -p UnitFileState {' '.join(names)};"
        " systemctl list-units --failed --plain --no-legend"
    )
    assert shown.split() == ["active", "enabled"] * len(names)


def test_a_service_called_active_has_a_daemon_behind_it(relay: Relay) -> None:
    # Debian 12 calls both active without one: an umbrella unit here, an init script there.
    assert "master" in relay.remote.run("ps -e -o comm=").split()
    for unit in units(relay):
        program, _ = DAEMONS[unit]
        assert program in relay.remote.run(f"ps -o comm= {processes(unit)}").split()


def test_packages_are_installed(relay: Relay) -> None:
    packages = wanted(relay).packages
    look = f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' {' '.join(packages)} || true"
    assert set(relay.remote.run(look).splitlines()) == {f"installed {package}" for package in packages}


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
    ours = {path: f"root {file.group} {file.mode}" for path, file in wanted(relay).files.items()}
    found = relay.remote.run(f"stat -c '%n %U %G %a' {' '.join(SHARED | ours)}").splitlines()
    assert found == [f"{path} {rights}" for path, rights in (SHARED | ours).items()]


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


def test_whom_postfix_asks_runs_without_rights_of_its_own(relay: Relay) -> None:
    for unit in units(relay):
        *rights, directory, verdict = relay.remote.run(
            f"for pid in {processes(unit)}; do"
            " sed -nE 's/^(Uid|CapEff):\t(\\S+).*/\\2/p' /proc/$pid/status | paste -s -; done | sort -u;"
            f" stat -c '%u %G %a' /run/{unit}; systemd-analyze security {unit} --no-pager | tail -n 1"
        ).splitlines()
        ((uid, capabilities),) = (line.split() for line in rights)
        assert int(capabilities, 16) == 0
        # pam_unix(8) tells the passwords' hashes to root alone.
        assert (uid == "0") == (unit == "saslauthd" and isinstance(relay.settings.login, SaslauthdPam))
        assert directory == f"{uid} {DAEMONS[unit][1]}"
        exposure = re.search(rf"exposure level for {unit}.service: ([\d.]+)", verdict)
        assert exposure, verdict
        assert float(exposure[1]) <= 2.0  # of 10, which is a daemon that may do everything


def test_a_user_of_the_host_cannot_ask_for_passwords(relay: Relay) -> None:
    path = asked(relay)
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
    assert sorted(offered[1].split()) == sorted(wanted(relay).mechanisms)
    assert "221 " in heard, heard
