"""What other settings have left on a host is named, and nothing that the present ones need."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tasks.activation.facts.leftovers import Left
from tasks.activation.leftovers import Remains
from tasks.login import part as sasl
from tasks.login.backend import SMTPD_CONF, Way
from tasks.login.dovecot import daemon as dovecot
from tasks.login.saslauthd import daemon as saslauthd
from tasks.senders import part as ownership

WAYS = list(sasl.WAYS.values())


def paths(some: Iterable[Remains]) -> set[str]:
    return {
        path for one in some for path in (*one.files, *one.signed, *(unit_file for _, unit_file in one.units))
    }


def needed(way: Way) -> set[str]:
    """Name what a way has on the host."""
    return paths([way.LEAVES, way.ASKED.leaves]) | ({SMTPD_CONF} if way.ASKED.smtpd_conf else set())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_other_ways_are_to_go_whole_and_the_chosen_one_not_at_all(way: Way) -> None:
    to_go = paths(sasl.remains_beside(way))
    everything = set().union(*map(needed, WAYS))
    assert to_go == everything - needed(way)


def test_ways_that_ask_the_same_daemon_leave_it_to_each_other() -> None:
    assert saslauthd.UNIT not in paths(sasl.remains_beside(sasl.ldap))
    assert saslauthd.UNIT in paths(sasl.remains_beside(sasl.sasldb))
    assert dovecot.UNIT not in paths(sasl.remains_beside(sasl.dovecot_ldap))


def test_no_two_ways_have_a_file_of_the_same_name() -> None:
    alone = [path for way in WAYS for path in paths([way.LEAVES])]
    assert len(alone) == len(set(alone))
    assert not set(alone) & {ownership.FILE, ownership.DIRECTORY, ownership.DIRECTORY_CA}


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
