"""A host without room for what a run writes is told before anything is changed."""

import pytest

from tasks.activation.facts.room import Free, Room
from tasks.activation.room import MB, complain, needed

AMPLE = Free(50_000 * MB, 1_000_000)


def test_a_host_with_room_is_fine() -> None:
    for installs in (True, False):
        wanted = needed(installs, 10_240_000)
        assert list(complain(wanted, dict.fromkeys(wanted, AMPLE))) == []


@pytest.mark.parametrize(
    ("installs", "path", "has", "words"),
    [
        (True, "/usr", Free(150 * MB, 9000), "/usr has 150 MB left where 200 are needed; make room there"),
        (False, "/etc", Free(9 * MB, 9000), "/etc has 9 MB left where 10 are needed; "),
        (False, "/etc", Free(900 * MB, 3), "/etc has 3 inodes left where 500 are needed; remove files"),
        (False, "/var/spool/postfix", Free(25 * MB, None), "/var/spool/postfix has 25 MB left where 36 are"),
    ],
)
def test_a_lack_is_told_with_a_remedy(installs: bool, path: str, has: Free, words: str) -> None:
    wanted = needed(installs, 10_240_000)
    (said,) = complain(wanted, dict.fromkeys(wanted, AMPLE) | {path: has})
    assert said.startswith(words)


def test_what_is_installed_needs_no_room_for_packages() -> None:
    wanted = needed(installs=False, largest=10_240_000)
    assert list(complain(wanted, dict.fromkeys(wanted, Free(40 * MB, 600)))) == []


def test_larger_messages_need_more() -> None:
    wanted = needed(installs=False, largest=1000 * MB)
    (said,) = complain(wanted, dict.fromkeys(wanted, Free(1000 * MB, None)))
    assert said.startswith("/var/spool/postfix has 1000 MB left where 1520 are needed")


def test_a_file_system_without_an_end_of_inodes_is_read() -> None:
    lines = ["100 4096 0 0 /var", "100 4096 64 7 /etc/a directory"]
    assert Room().process(lines) == {
        "/var": Free(409_600, None),
        "/etc/a directory": Free(409_600, 7),
    }
