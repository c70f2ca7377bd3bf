"""A mistake of the operator's ends the run at once: one line that says where it is and what to do.

This is pyinfra's own command line. The mistakes are found before anything is asked of a host, but for a
certificate that lies there; the host is this machine.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from lab.certificates import Certificate, issue
from tasks.login import accounts
from tests.support.command_line import pyinfra
from tests.unit.examples import HOSTNAME

ROOT = Path(__file__).parents[4]
PATIENCE = 60  # seconds
SECRET = "pa55word"
INVENTORY = """\
from tasks.settings import *

relays = (
    [("@local", {{{host}}})],
    {{"login": {login}}},
)
"""
RELAY = f'"relay": Relay(hostname="{HOSTNAME}")'
LOGIN = 'SaslauthdLdap(servers=["ldaps://ldap.example.org"], search_base="dc=example,dc=org")'
HOST = "(@local)"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, authority: Certificate, pair: Certificate) -> Path:
    """A directory with files of the operator's, fit and unfit."""
    directory = tmp_path_factory.mktemp("operator")
    expired = issue(authority, HOSTNAME, lifetime=timedelta(days=-1))
    foreign = issue(authority, "mx2.example.org")
    for name, content in {
        "fit.pem": pair.certificate,
        "fit.key": pair.key,
        "expired.pem": expired.certificate,
        "expired.key": expired.key,
        "foreign.pem": foreign.certificate,
        "foreign.key": foreign.key,
        "broken.pem": f"-----BEGIN CERTIFICATE-----\n{SECRET}\n-----END CERTIFICATE-----\n",
        "broken.key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
        "two lines": f"{SECRET}\n{SECRET}\n",
        "empty": "# nobody yet\n",
        "foreign hash": f"alice:x\nbob:{{SHA512-CRYPT}}{SECRET}\n",
        "hash": f"alice:{accounts.scram(SECRET, b'salt')}\n",
        "senders": "alice@example.org alice\nbob bob@example.org\n",
        "long": f"{SECRET * 16}\n",
    }.items():
        (directory / name).write_text(content)
    (directory / "latin1").write_bytes(SECRET.encode() + b"\xfc\n")
    (directory / "directory").mkdir()
    return directory


def assert_refused(directory: Path, host: str, login: str, *told: str) -> None:
    """Run the deploy and expect complaints that tell the file and these words, in this order."""
    inventory = directory / "prod.py"
    inventory.write_text(INVENTORY.format(host=host, login=login))
    done = pyinfra([str(inventory), "deploy.py", "--dry"], ROOT, PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    before, _, complaint = said.partition("--> pyinfra error: ")
    rest = complaint
    for words in ("prod.py", *told):
        _, found, rest = rest.partition(words)
        assert found, f"{words!r} is not told, or not there: {complaint}"
    assert not [words for words in ("rror", "Traceback", "exception") if words in before], said
    assert "Starting operation" not in said
    assert SECRET not in said


def login(**settings: str) -> str:
    """Write a login section of these Python expressions."""
    usual = {"servers": '["ldaps://ldap.example.org"]', "search_base": '"dc=example,dc=org"'}
    return f"SaslauthdLdap({', '.join(f'{name}={value}' for name, value in (usual | settings).items())})"


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ('"relay": Relay(hostnam="mx1.example.org")', ("line 4 (@local)", "Relay.hostnam", "mean hostname?")),
        ('"relay": Relay(hostname="mx1")', ("line 4 (@local)", "Relay.hostname", "write one like")),
        ("", (HOST, "relay.hostname: '@local' is not", "set it in Relay(hostname=")),
        (f'{RELAY}, "certficate": OwnCa()', (HOST, "certficate", "did you mean certificate?")),
        (f'{RELAY}, "submission": {{"auth_on_52": True}}', (HOST, "submission", "must be Submission(...)")),
        (
            f'{RELAY}, "submission": Submission(local_domain="nobody.test")',
            (HOST, "submission.local_domain makes addresses of nobody.test", "drop it, or let"),
        ),
    ],
    ids=["setting", "name", "no name", "section", "no section", "realm that nobody serves"],
)
def test_mistake_in_a_hosts_settings(tmp_path: Path, host: str, told: tuple[str, ...]) -> None:
    assert_refused(tmp_path, host, LOGIN, *told)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"servers": '["ldap.example.org"]'}, ("servers", "write one like ldaps://")),
        ({"servers": f'["ldaps://cn=x:{SECRET}@ldap.example.org"]'}, ("servers", "write one like ldaps://")),
        ({"servers": '["ldap://a.test", "ldaps://b.test"]'}, ("servers", "mixed; choose one")),
        ({"start_tls": "True"}, ("start_tls contradicts ldaps://", "drop one of them")),
        ({"bind_dn": '"cn=relay"'}, ("bind_dn and bind_password_file", "give both or neither")),
        ({"bind_password": f'"{SECRET}"'}, ("bind_password ", "did you mean bind_password_file?")),
        ({"filter": '"(objectClass=person)"'}, ("filter has no %u", "add one")),
        ({"filter": '"(uid=%U)"', "names": '"both"'}, ("domains is missing", "name those that are served")),
        ({"auth_method": '"custom"'}, ("auth_method 'custom'", "give that, and bind_password_file")),
        ({"timeout": "9"}, ("timeout: Input should be less than or equal to 8",)),
    ],
    ids=[
        *("URL", "password in URL", "schemes", "start_tls", "bind_dn", "password", "filter", "domains"),
        *("method", "time"),
    ],
)
def test_mistake_in_the_groups_login(tmp_path: Path, mistake: dict[str, str], told: tuple[str, ...]) -> None:
    assert_refused(tmp_path, RELAY, login(**mistake), "line 5 (group relays)", "SaslauthdLdap", *told)


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        ("missing.pem", "fit.key", ("certificate.certificate", "missing.pem", "correct the path")),
        ("directory", "fit.key", ("certificate.certificate", "directory", "correct the path or its rights")),
        ("broken.pem", "fit.key", ("certificate.certificate", "broken.pem", "give one in PEM")),
        ("expired.pem", "expired.key", ("certificate.certificate", "expired on", "renew it")),
        (
            "foreign.pem",
            "foreign.key",
            ("certificate.certificate", f"not for {HOSTNAME}", "get one for that"),
        ),
        ("fit.pem", "foreign.key", ("certificate.key", "foreign.key does not belong", "give the key that")),
        ("fit.pem", "broken.key", ("certificate.key", "broken.key", "give one in PEM")),
        ("fit.pem", "fit.key", ("certificate.certificate", "lacks the rest of its chain", "fullchain.pem")),
    ],
)
def test_certificate_that_clients_would_refuse(
    files: Path, certificate: str, key: str, told: tuple[str, ...]
) -> None:
    section = f'"certificate": CertificateFiles(certificate="{files / certificate}", key="{files / key}")'
    assert_refused(files, f"{RELAY}, {section}", LOGIN, HOST, *told)


def test_certificate_that_is_not_on_the_host(files: Path) -> None:
    section = f'"certificate": CertificateOnHost(certificate="{files}/fit.pem", key="{files}/missing.key")'
    told = ("certificate.key", f"{files}/missing.key on the host", "correct the path")
    assert_refused(files, f"{RELAY}, {section}", LOGIN, HOST, *told)


@pytest.mark.parametrize(
    ("setting", "name", "remedy"),
    [
        ("bind_password_file", "missing", "correct the path or its rights"),
        ("bind_password_file", "directory", "correct the path or its rights"),
        ("bind_password_file", "latin1", "give one in PEM or plain text"),
        ("bind_password_file", "two lines", "must hold one line, the password"),
        ("bind_password_file", "long", "give bind_dn a shorter one"),
        ("ca_file", "broken.pem", "give one in PEM"),
    ],
)
def test_file_that_saslauthd_could_not_work_with(files: Path, setting: str, name: str, remedy: str) -> None:
    others = {"bind_dn": '"cn=relay"'} if setting == "bind_password_file" else {}
    section = login(**others, **{setting: f'"{files / name}"'})
    assert_refused(files, RELAY, section, HOST, f"login.{setting}", str(files / name), remedy)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing", ("missing cannot be read", "correct the path or its rights")),
        ("senders", ("senders line 2 does not begin with an address", "write ADDRESS LOGIN")),
    ],
)
def test_file_of_senders_that_nobody_could_send_with(files: Path, name: str, told: tuple[str, ...]) -> None:
    section = f'"senders": SendersFromFile(file="{files / name}")'
    assert_refused(files, f"{RELAY}, {section}", LOGIN, HOST, "senders.file", *told)


def test_ca_that_the_imap_server_could_not_be_checked_against(files: Path) -> None:
    section = f'SaslauthdRimap(server="imaps://imap.example.org", ca_file="{files}/broken.pem")'
    assert_refused(files, RELAY, section, HOST, "login.ca_file", f"{files}/broken.pem", "give one in PEM")


@pytest.mark.parametrize("section", ["Sasldb", "DovecotPasswdFile"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing", ("correct the path or its rights",)),
        ("latin1", ("plain text",)),
        ("two lines", ("line 1", "has no colon; write NAME:PASSWORD")),
        ("empty", ("has no account", "write a line NAME:PASSWORD")),
        ("foreign hash", ("line 2", "bob's password looks like a hash", "doveadm pw -s SCRAM-SHA-256")),
    ],
)
def test_file_of_accounts_that_cannot_be_read_as_one(
    files: Path, section: str, name: str, told: tuple[str, ...]
) -> None:
    path = str(files / name)
    assert_refused(
        files, RELAY, f'{section}(accounts_file="{path}")', HOST, "login.accounts_file", path, *told
    )


def test_hash_that_a_sasldb_could_not_hold(files: Path) -> None:
    path = str(files / "hash")
    told = ("login.accounts_file", path, "alice has a hash", "use DovecotPasswdFile")
    assert_refused(files, RELAY, f'Sasldb(accounts_file="{path}")', HOST, *told)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ('Sasldb(accounts_file="x", mechanisms=[])', ("Sasldb", "mechanisms", "name at least one")),
        ('Sasldb(accounts_file="x", mechanisms=["CRAM-MD5"])', ("Sasldb.mechanisms", "settings table")),
        ("Sasldb()", ("Sasldb.accounts_file is missing", "add it")),
        ('DovecotLdap(servers=[], search_base="dc=x")', ("DovecotLdap", "servers is empty")),
        (
            'DovecotLdap(servers=["ldap://a.test"], search_base="dc=x", filter="(uid=x)")',
            ("DovecotLdap", "filter has no %u", "add one"),
        ),
        (
            'DovecotLdap(servers=["ldap://a.test"], search_base="dc=x", filter="(uid=%u%n)")',
            ("DovecotLdap", "after % stands u, U or d", "write"),
        ),
        (
            'DovecotLdap(servers=["ldap://a.test"], search_base="dc=%d")',
            ("DovecotLdap", "search_base", "write"),
        ),
        (
            'DovecotLdap(servers=["ldap://a.test"], search_base="dc=x", bind_dn="cn=x")',
            ("DovecotLdap", "bind_dn and bind_password_file", "give both or neither"),
        ),
    ],
)
def test_mistake_in_another_way_to_log_in(tmp_path: Path, section: str, told: tuple[str, ...]) -> None:
    assert_refused(tmp_path, RELAY, section, "line 5 (group relays)", *told)
