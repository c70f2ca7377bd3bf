"""The host itself: what runs, what is installed, and who may read what."""

import re
import time
from collections.abc import Sequence
from shlex import quote

from deploy import relay as desired
from tasks.host.facts.host import UNKNOWN, HostFacts
from tasks.login.libsasl import SMTPD_CONF
from tasks.part import File, Part
from tasks.postfix.configuration import changes
from tasks.postfix.facts import PostfixSays
from tasks.settings import SaslauthdPam
from tests.support.bed import Relay, TestBed
from tests.support.client_host import PORTS
from tests.support.fault import expect

ANYWHERE = {"ipv4": "0.0.0.0", "ipv6": "[::]"}  # noqa: S104
SHARED = {"/etc/postfix/main.cf": "root root 644", "/etc/postfix/master.cf": "root root 644"}
# What Postfix asks about passwords: how test(1) has it that nobody may, and that Postfix may.
ASKED = {
    "/run/saslauthd/mux": ("-e", "-w"),
    "/run/quietrelay-ldap/postfix": ("-e", "-w"),
    "/run/quietrelay-dovecot/postfix": ("-w", "-w"),
    "/etc/postfix/sasldb2": ("-r", "-r"),
}
DEPLOY = "see what differs, quietrelay drift, and deploy"
MOST_NAMED = 5  # parameters in a finding
MINUTE = 60  # seconds
# The coprocess outlives telnet-ssl: bash forgets how to reach one that has ended, and what it said with it.
HAND_TEST = r"""
coproc { telnet-ssl -z ssl localhost 465 2>&1; exec >&-; exec cat >/dev/null; }
exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
printf 'EHLO telnet.test\r\n' >&3
while read -r -t 10 -u 4 line; do
  echo "$line"
  case $line in
    "250 "*) printf 'QUIT\r\n' >&3 ;;
    "221 "*) break ;;
  esac
done
"""
# Not what systemd says: Debian 12 calls postfix and saslauthd active without a daemon, an umbrella unit the
# one, an init script's the other.
THERE = """
there() {{
  case $1 in
    postfix) read -r pid </var/spool/postfix/pid/master.pid && grep -qx master /proc/$pid/comm ;;
    *) read -r _ </sys/fs/cgroup/system.slice/$1.service/cgroup.procs ;;
  esac 2>/dev/null
}}
away=$(for unit in {names}; do there $unit || echo $unit; done)
echo $away
test ! "$away" || exit 0
"""
BETWEEN = "--- and of Postfix ---"
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
    """Write a command that tells of each process of a unit, once what several have in common.

    Its name, its user's number and its capabilities (proc(5), /proc/pid/status).
    """
    tell = "/^Name:/ { name = $2 } /^Uid:/ { uid = $3 } /^CapEff:/ { print name, uid, $2 }"
    ids = f"/sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs"
    return f"awk '{tell}' $(sed 's,.*,/proc/&/status,' {ids}) | sort -u"


def ask_while_running(relay: Relay, names: Sequence[str], script: str = "") -> list[str]:
    """Have units' daemons be there, and run a script that needs them.

    It is one command, for each costs a host more than most of what it does.

    :returns: the lines that it prints
    :raises FaultError: naming those that are not there
    """
    away, *lines = relay.remote.run(THERE.format(names=" ".join(names)) + script).splitlines()
    do = "do" if " " in away else "does"
    expect(not away, f"{' and '.join(away.split())} {do} not run", see(*away.split()))
    return lines


def see(*names: str) -> str:
    """Say where units tell why they do not run."""
    return f"see why: journalctl {' '.join(f'-u {unit}' for unit in names)}; then deploy"


def test_the_host_is_within_reach(test_bed: TestBed, inventoried: str) -> None:
    expect(
        inventoried not in test_bed.unreached,
        "the host does not answer by SSH, and nothing else was asked of it",
        f"see whether it runs, and what ssh -v {inventoried} says",
    )


def test_users_reach_every_port_in_every_family(relay: Relay) -> None:
    listening = relay.remote.run("ss -Hltn | awk '{ print $4 }'").split()
    families = relay.settings.relay.address_families
    addresses = [address for family, address in ANYWHERE.items() if families in (family, "all")]
    closed = [port for port in PORTS if not {f"{address}:{port}" for address in addresses} <= set(listening)]
    if closed:
        ask_while_running(relay, ["postfix"])
    numbers = ", ".join(map(str, closed))
    expect(not closed, f"Postfix does not listen everywhere on {numbers}", DEPLOY)


def test_relay_serves_now_and_after_a_reboot(relay: Relay) -> None:
    names = ["postfix", *units(relay)]
    enabled, failed = ask_while_running(
        relay,
        names,
        f"echo $(systemctl show --value -p UnitFileState {' '.join(names)})\n"
        "echo $(systemctl list-units --failed --plain --no-legend | awk '{ print $1 }')",
    )
    late = [unit for unit, state in zip(names, enabled.split(), strict=True) if state != "enabled"]
    expect(not late, f"{', '.join(late)} would not start with the host", DEPLOY)
    expect(
        not failed, f"units have failed on the host: {', '.join(failed.split())}", "see systemctl status UNIT"
    )


def test_each_daemon_is_the_one_that_it_should_be(relay: Relay) -> None:
    looks = [f"echo $({processes(unit)})\n" for unit in units(relay)]
    found = ask_while_running(relay, ["postfix", *units(relay)], "".join(looks))
    for unit, programs in zip(units(relay), found, strict=True):
        assert DAEMONS[unit][0] in programs.split()


def test_postfix_is_set_as_the_inventory_says(relay: Relay) -> None:
    # Whatever else a conversation cannot show: that users' headers are rewritten, say.
    host, postfix = HostFacts(), PostfixSays()
    about_host, about_postfix = relay.remote.run(
        f"sh -c {quote(host.command())}; echo {BETWEEN}; sh -c {quote(postfix.command())}"
    ).split(f"{BETWEEN}\n")
    found = host.process(about_host.splitlines())
    says = postfix.process(about_postfix.splitlines())
    keys = [change.key for change in changes(desired(relay.settings, found).postfix, says)]
    # Of a service that is missing, its name says enough.
    differing = [key for key in keys if key.rpartition("/")[0] not in keys]
    more = f" and {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
    named = ", ".join(differing[:MOST_NAMED]) + more
    expect(not differing, f"Postfix is not set as the inventory says: {named}", DEPLOY)


def test_the_clock_is_right(relay: Relay) -> None:
    # Certificates begin and end by it, and receivers judge a message by its Date and Received.
    before = time.time()
    behind = round(before - int(relay.remote.run("date +%s")))
    expect(
        abs(behind) < MINUTE,
        f"the clock is {abs(behind) // MINUTE} min {'behind' if behind > 0 else 'ahead of'} this machine's",
        "see timedatectl on both, and have one of systemd-timesyncd and chrony set it",
    )


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
    looks = [
        f"echo $({processes(unit)} | cut -d ' ' -f 2- | sort -u) $(stat -c '%u %G %a' /run/{unit})\n"
        for unit in units(relay)
    ]
    verdicts = f"systemd-analyze security {' '.join(units(relay))} --no-pager | grep 'exposure level for'\n"
    lines = ask_while_running(relay, units(relay), "".join([*looks, verdicts]))
    assert len(lines) == 2 * len(units(relay)), lines
    for unit, rights in zip(units(relay), lines, strict=False):
        uid, capabilities, *directory = rights.split()
        assert int(capabilities, 16) == 0
        # pam_unix(8) tells the passwords' hashes to root alone.
        assert (uid == "0") == (unit == "saslauthd" and isinstance(relay.settings.login, SaslauthdPam))
        assert directory == [uid, *DAEMONS[unit][1].split()]
        exposure = re.search(rf"for {unit}.service: ([\d.]+)", "\n".join(lines))
        assert exposure, lines
        assert float(exposure[1]) <= 2.0  # of 10, which is a daemon that may do everything


def test_a_user_of_the_host_cannot_ask_for_passwords(relay: Relay) -> None:
    path = asked(relay)
    looks = dict(zip(("nobody", "postfix"), ASKED[path], strict=True))
    script = "".join(
        f"runuser -u {user} -- test {look} {path} && echo {user};" for user, look in looks.items()
    )
    assert ask_while_running(relay, units(relay), f"{script} true") == ["postfix"]


def test_telnet_ssl_holds_the_conversation_of_the_guide(relay: Relay) -> None:
    # The guide's own hand test. telnet-ssl ends with its input, so each line is said when it is its turn.
    heard = relay.remote.run(f"bash -c {quote(HAND_TEST)}").replace("\r", "")
    assert f"220 {relay.hostname} ESMTP" in heard, heard
    offered = re.search(r"^250-AUTH (.*)$", heard, re.MULTILINE)
    assert offered, heard
    assert sorted(offered[1].split()) == sorted(wanted(relay).mechanisms)
    assert "221 " in heard, heard
