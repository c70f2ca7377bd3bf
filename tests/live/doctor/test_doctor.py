"""The doctor: it names what is broken and nothing else, changes nothing, and shows no secret."""

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.topology import PEOPLE_DN, SERVICE_DN, SERVICE_PASSWORD, USERS
from tests.support.bed import TestBed
from tests.support.command_line import quietrelay
from tests.support.remote import Remote
from tests.support.tampering import RESTART
from tests.support.watching import watching

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

USER = USERS[0]
URL = "ldap://directory.relay.test"
ANOTHER = f"""\
dn: cn=another,{PEOPLE_DN}
changetype: add
objectClass: inetOrgPerson
cn: another
sn: Another
uid: {USER.uid}
"""
LDAPMODIFY = "ldapmodify -Q -Y EXTERNAL -H ldapi:///"


@dataclass(frozen=True)
class Breakage:
    """Something broken, and the checks that have to fail for it."""

    command: str
    undo: str
    blamed: tuple[str, ...]
    words: str
    """What the doctor has to say of it."""
    where: str = "relay"
    user: str = USER.uid


KEEP_MASTER = "cp -p /etc/postfix/master.cf /root/master.cf.kept"
MASTER_BACK = f"mv /root/master.cf.kept /etc/postfix/master.cf\n{RESTART}"
BREAKAGES = {
    "directory stopped": Breakage(
        "systemctl stop slapd",
        "systemctl start slapd",
        (f"{URL} answers",),
        "nobody listens there",
        "directory",
    ),
    "wrong CA": Breakage(
        "cp -p /etc/saslauthd.ca.pem /root/ca.kept; cat /etc/postfix/tls/ca.pem > /etc/saslauthd.ca.pem",
        "mv /root/ca.kept /etc/saslauthd.ca.pem",
        (f"{URL} has a certificate for its name that /etc/saslauthd.ca.pem vouches for",),
        "self-signed certificate in certificate chain",
    ),
    "wrong bind password": Breakage(
        "cp -p /etc/saslauthd.conf /root/conf.kept; sed -i 's/^ldap_password: .*/&x/' /etc/saslauthd.conf",
        "mv /root/conf.kept /etc/saslauthd.conf",
        (f"{URL} lets {SERVICE_DN} in to search",),
        "wrong name or password; correct login.bind_dn or login.bind_password_file",
    ),
    "user missing": Breakage(
        "true",
        "true",
        (f"{URL} finds exactly one entry for nobody-here",),
        "finds nobody",
        user="nobody-here",
    ),
    "user there twice": Breakage(
        f"{LDAPMODIFY} >/dev/null <<'END'\n{ANOTHER}END",
        f"{LDAPMODIFY} >/dev/null <<'END'\ndn: cn=another,{PEOPLE_DN}\nchangetype: delete\nEND",
        (f"{URL} finds exactly one entry for {USER.uid}",),
        "finds 2: ",
        "directory",
    ),
    "wrong password": Breakage(
        "true", "true", (f"{URL} takes bob's password",), "Invalid credentials", user="bob"
    ),
    "saslauthd stopped": Breakage(
        "systemctl stop saslauthd",
        "systemctl start saslauthd",
        ("saslauthd listens on /run/saslauthd/mux",),
        "it is inactive",
    ),
    "postfix out of group sasl": Breakage(
        "gpasswd -d postfix sasl",
        "gpasswd -a postfix sasl",
        ("user postfix may reach that socket",),
        "its groups are postfix",
    ),
    "smtpd chrooted": Breakage(
        f"{KEEP_MASTER}; postconf -F submissions/inet/chroot=y",
        MASTER_BACK,
        ("Postfix's smtpd runs outside the chroot",),
        "submissions in master.cf is in it",
    ),
    "port closed": Breakage(
        f"{KEEP_MASTER}; postconf -MX submission/inet\n{RESTART}",
        MASTER_BACK,
        (f"port 587 lets {USER.uid} in",),
        "nobody listens there",
    ),
    "login not offered": Breakage(
        f"{KEEP_MASTER}; postconf -P submissions/inet/smtpd_sasl_auth_enable=no\n{RESTART}",
        MASTER_BACK,
        (f"port 465 lets {USER.uid} in",),
        "no login is offered there",
    ),
    "smtpd.conf lost": Breakage(
        f"mv /etc/postfix/sasl/smtpd.conf /root/smtpd.conf.kept\n{RESTART}",
        f"mv /root/smtpd.conf.kept /etc/postfix/sasl/smtpd.conf\n{RESTART}",
        tuple(f"port {port} lets {USER.uid} in" for port in (25, 465, 587)),
        "535 5.7.8",
    ),
    "Postfix stopped": Breakage(
        "systemctl stop postfix", "systemctl start postfix", ("Postfix runs",), "see postfix check"
    ),
}

# All that a run could leave behind: files with their rights and times, packages, units and processes' names.
FAIL = "  FAIL     "
STATE = """
find /etc /root /home /tmp /var/tmp /usr /var/lib /run/saslauthd /var/spool/postfix -xdev \
  \\( -path /var/lib/systemd -o -path /var/lib/postfix -o -path '/var/spool/postfix/*' \\) -prune -o \
  -printf '%p %y %m %U:%G %T@ %C@\\n' | sort
dpkg -l | md5sum
systemctl list-units --plain --no-legend --all --type=service,timer,socket | grep -v session | sort
"""


class Doctor:
    """The doctor as a person calls it."""

    def __init__(self, inventory: str, password_file: Path) -> None:
        """Choose the inventory, and where the password stands."""
        self._inventory = str(Path(inventory).resolve())
        self._password = ["--password-file", str(password_file)]

    def look(self, user: str | None = USER.uid, *options: str) -> "subprocess.CompletedProcess[str]":
        """Look, and give what was printed."""
        of_user = ["--user", user, *self._password] if user else []
        return quietrelay("doctor", self._inventory, *of_user, *options)


@pytest.fixture(scope="module")
def doctor(test_bed: TestBed, tmp_path_factory: pytest.TempPathFactory) -> Doctor:
    """Give the doctor, with the user's password in a file."""
    password_file = tmp_path_factory.mktemp("operator") / "password"
    password_file.write_text(f"{USER.password}\nnot this\n")
    return Doctor(test_bed.inventory, password_file)


@contextmanager
def broken(test_bed: TestBed, breakage: Breakage) -> Iterator[None]:
    """Break something, and mend it."""
    remotes: list[Remote] = (
        [test_bed.others["directory"]]
        if breakage.where == "directory"
        else [relay.remote for relay in test_bed.relays]
    )
    with ThreadPoolExecutor() as pool:  # restarts take a while
        try:
            list(pool.map(lambda remote: remote.run(breakage.command), remotes))
            yield
        finally:
            list(pool.map(lambda remote: remote.run(breakage.undo), remotes))


def failed_checks(printed: str) -> list[str]:
    """List what the doctor blames."""
    return [line.removeprefix(FAIL) for line in printed.splitlines() if line.startswith(FAIL)]


def test_on_healthy_relays_all_is_well(test_bed: TestBed, doctor: Doctor) -> None:
    seen = doctor.look()
    assert (seen.returncode, seen.stderr) == (0, ""), seen
    assert seen.stdout.count("All is well.") == len(test_bed.relays)
    for port in (25, 465, 587):
        assert seen.stdout.count(f"  ok       port {port} lets {USER.uid} in") == len(test_bed.relays)


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_what_is_broken_is_named_and_nothing_else(test_bed: TestBed, doctor: Doctor, breakage: str) -> None:
    what = BREAKAGES[breakage]
    with broken(test_bed, what):
        seen = doctor.look(what.user)
    assert seen.returncode == 1, seen
    assert failed_checks(seen.stdout) == list(what.blamed) * len(test_bed.relays), seen.stdout
    assert what.words in seen.stdout
    assert "All is well" not in seen.stdout


def test_without_a_user_it_looks_at_what_needs_none(test_bed: TestBed, doctor: Doctor) -> None:
    with broken(test_bed, BREAKAGES["directory stopped"]):
        seen = doctor.look(None, "--limit", test_bed.relays[0].name)
    assert failed_checks(seen.stdout) == [f"{URL} answers"]
    assert seen.stdout.count("  skipped  ") == 2  # its certificate, and whether it lets the relay search
    assert "  ok       port 587 offers a login" in seen.stdout


def test_a_host_that_cannot_be_reached_is_a_finding_too(tmp_path: Path, test_bed: TestBed) -> None:
    inventory = tmp_path / "gone.py"
    inventory.write_text(
        f"import runpy\n_, _data = runpy.run_path({str(Path(test_bed.inventory).resolve())!r})['relays']\n"
        "relays = ([('gone.relay.test', {'ssh_hostname': '127.0.0.1', 'ssh_port': 9})], _data)\n"
    )
    seen = Doctor(str(inventory), tmp_path / "password").look(None)
    assert seen.returncode == 1, seen
    assert failed_checks(seen.stdout) == ["the operator's machine reaches the host"]


def test_it_changes_nothing(test_bed: TestBed, doctor: Doctor) -> None:
    def state() -> list[list[str]]:
        return [relay.remote.run(STATE).splitlines() for relay in test_bed.relays]

    state()  # the tests' own connection may leave something at its first command
    before = state()
    assert doctor.look().returncode == 0
    assert doctor.look("bob").returncode == 1
    assert state() == before


def test_nobody_sees_a_secret(test_bed: TestBed, doctor: Doctor) -> None:
    token = b64encode(f"\0{USER.uid}\0{USER.password}".encode()).decode()
    asked = b64encode(f"{USER.uid}\0\0{USER.password}".encode()).decode()
    secrets = [USER.password, b64encode(USER.password.encode()).decode(), token, asked, SERVICE_PASSWORD]
    with watching(test_bed.relays[0], secrets) as seen:
        looked = doctor.look()
    assert seen == []
    assert looked.returncode == 0
    assert [secret for secret in secrets if secret in looked.stdout + looked.stderr] == []
