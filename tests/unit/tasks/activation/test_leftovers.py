"""What other settings have left on a host is named, and nothing that the present ones need."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy import relay
from tasks.activation import manifest, release_0_1
from tasks.activation.facts.manifest import Left
from tasks.certificates.part import CA_KEY, CA_PEM, RELAY_PEM
from tasks.host.facts.host import UNKNOWN
from tasks.inventory.section import Section
from tasks.part import Part
from tasks.settings import (
    CertificateFiles,
    DovecotLdap,
    DovecotPasswdFile,
    Logs,
    OwnCa,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
    SendersFromDirectory,
    SendersFromFile,
)
from tests.unit.examples import LOGIN, relay_with

DIRECTORY = {"servers": ["ldap://a.example"], "search_base": "dc=example", "ca_file": "x"}
LOGINS: Mapping[str, Section] = {
    "ldap": SaslauthdLdap(**DIRECTORY),
    "pam": SaslauthdPam(),
    "rimap": SaslauthdRimap(server="imaps://imap.example.org", ca_file="x"),
    "sasldb": Sasldb(accounts_file="x"),
    "passwd-file": DovecotPasswdFile(accounts_file="x"),
    "dovecot ldap": DovecotLdap(**DIRECTORY),
}


def desired(**sections: Section) -> Part:
    return relay(relay_with(**sections), UNKNOWN)


def left(former: Part, wanted: Part) -> set[str]:
    """Tell what goes where one is made of the other."""
    return set(manifest.of(former).files) - set(wanted.files)


@pytest.mark.parametrize("name", LOGINS)
@pytest.mark.parametrize("former", LOGINS)
def test_another_login_goes_whole_and_the_chosen_one_not_at_all(former: str, name: str) -> None:
    one, other = desired(login=LOGINS[former]), desired(login=LOGINS[name])
    assert left(one, other) == set(one.files) - set(other.files)
    assert bool(left(one, other)) == (former != name)


def test_logins_that_ask_the_same_daemon_leave_it_to_each_other() -> None:
    ldap, pam, sasldb = (desired(login=LOGINS[name]) for name in ("ldap", "pam", "sasldb"))
    unit = "/etc/systemd/system/saslauthd.service"
    assert unit not in left(ldap, pam)
    assert unit in left(ldap, sasldb)


def test_the_ca_that_clients_were_told_to_trust_stays() -> None:
    own, files = (
        desired(certificate=OwnCa()),
        desired(certificate=CertificateFiles(certificate="x", key="x")),
    )
    assert not {CA_KEY, CA_PEM} & left(own, files)
    assert RELAY_PEM in left(own, files)


@pytest.mark.parametrize(
    "sections",
    [
        *({"login": login} for login in LOGINS.values()),
        {"senders": SendersFromFile(file="x")},
        {"login": LOGINS["ldap"], "senders": SendersFromDirectory()},
        {"logs": Logs(keep_days=7)},
    ],
    ids=str,
)
def test_all_that_release_0_1_may_have_left_is_known(sections: dict[str, Section]) -> None:
    always = set(desired(login=LOGINS["pam"]).files) & set(desired(login=LOGINS["sasldb"]).files)
    known = {*release_0_1.FILES, *release_0_1.SIGNED}
    assert set(desired(**sections).files) - always <= known


def test_the_manifest_is_read_as_it_was_written() -> None:
    ours = manifest.of(desired(login=LOGIN, logs=Logs(keep_days=7)))
    assert manifest.read(manifest.written(ours)) == ours
    assert manifest.written(manifest.read(manifest.written(ours))) == manifest.written(ours)


def test_the_manifest_of_another_version_is_read() -> None:
    ours = manifest.of(desired())
    text = manifest.written(ours).replace('"likes":', '"what_another_version_had":[],"likes":', 1)
    assert "another_version" in text
    assert manifest.read(text) == ours


def test_between_two_states_what_is_of_either_is_ours() -> None:
    one = manifest.of(desired(logs=Logs(keep_days=7)))
    other = manifest.of(desired(login=LOGINS["sasldb"]))
    between = manifest.either(one, other)
    assert set(between.files) == {*one.files, *other.files}
    assert between.postfix.parameters["maillog_file"] == "/var/log/postfix/mail.log"
    assert between.postfix.parameters.keys() == {*one.postfix.parameters, *other.postfix.parameters}
    assert manifest.either(other, other) == other


@pytest.mark.parametrize("with_signed", [True, False])
def test_left_is_what_is_there_and_of_some_only_what_is_signed(tmp_path: Path, with_signed: bool) -> None:
    there, link, gone, ours, anothers = (
        tmp_path / name for name in ("it's there", "link", "gone", "ours", "another's")
    )
    there.touch()
    link.symlink_to("/nowhere")
    ours.write_text("# PAM service smtp. Written by quietrelay.\nauth required pam_deny.so\n")
    anothers.write_text("auth required pam_unix.so # not Written by quietrelay\n")
    signed = [str(ours), str(anothers), str(gone)] if with_signed else []
    command = Left().command([str(there), str(link), str(gone)], signed).get_raw_value()
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=10, check=True)
    expected = {there, link, ours} if with_signed else {there, link}
    assert set(Left().process(said.stdout.splitlines())) == set(map(str, expected))
    assert said.stderr == ""
