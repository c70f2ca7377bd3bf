"""What hosts answer is understood: system, listeners, daemons."""

from datetime import UTC, datetime

import pytest

from tasks.host.facts.certificates import Validity, ValidityOf
from tasks.host.facts.daemons import Daemon, mark_of
from tasks.host.facts.host import HostFacts
from tasks.host.facts.users import GroupsOf

DEBIAN = ["uid=0", "id=debian", "version_id=12", "init=systemd", "machine_id=0123abcd", "clock=1000060"]
DEBIAN += ["unvalidated="]


class TestHostFacts:
    def test_plain_debian(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.time", lambda: 1000000.2)
        assert HostFacts().process(DEBIAN) == {
            "uid": "0",
            "id": "debian",
            "version_id": "12",
            "init": "systemd",
            "machine_id": "0123abcd",
            "clock_ahead": 60,
            "listeners": {},
            "mail_servers": [],
            "unvalidated": "",
        }

    def test_each_other_mail_server_is_told_once(self) -> None:
        said = [
            "listener=exim4=exim4-daemon-light",
            "listener=dovecot=dovecot-core",
            "listener=strange=",
            "mta=msmtp-mta",
            "mta=exim4-daemon-light",
        ]
        found = HostFacts().process(DEBIAN + said)
        assert found["listeners"] == {
            "dovecot": "dovecot-core",
            "exim4": "exim4-daemon-light",
            "strange": "",
        }
        assert found["mail_servers"] == ["exim4-daemon-light", "msmtp-mta"]

    def test_host_without_os_release_is_no_debian_but_no_crash(self) -> None:
        found = HostFacts().process(["uid=0", "init=systemd", "machine_id=", "clock=0", "unvalidated="])
        assert (found["id"], found["version_id"]) == ("unknown", "")


class TestDaemon:
    def test_daemon_that_runs_with_what_is_on_disk(self) -> None:
        assert Daemon().process(
            ["UnitFileState=enabled", "FragmentPath=/a.service", "NeedDaemonReload=no", "Alive=yes"]
        ) == {
            "alive": True,
            "enabled": True,
            "unit_file": "/a.service",
            "unit_changed": False,
            "newer": [],
            "made": [],
            "drop_ins": {},
        }

    def test_daemon_that_needs_everything(self) -> None:
        said = ["UnitFileState=disabled", "NeedDaemonReload=yes", "Newer=/etc/a=b", "Newer=/etc/group"]
        assert Daemon().process(said) == {
            "alive": False,
            "enabled": False,
            "unit_file": "",
            "unit_changed": True,
            "newer": ["/etc/a=b", "/etc/group"],
            "made": [],
            "drop_ins": {},
        }

    def test_unit_that_is_missing_is_not_running(self) -> None:
        assert Daemon().process(["UnitFileState=", "NeedDaemonReload=no"])["enabled"] is False

    def test_each_daemon_has_a_mark_of_its_own(self) -> None:
        assert mark_of("postfix") != mark_of("saslauthd")
        assert mark_of("postfix") in Daemon().command("postfix", "/run/x.pid", ["/etc/a"]).get_raw_value()


@pytest.mark.parametrize(
    ("said", "groups"), [(["postfix sasl"], ["postfix", "sasl"]), (["postfix"], ["postfix"]), ([], [])]
)
def test_groups_of_a_user_are_read_one_by_one(said: list[str], groups: list[str]) -> None:
    assert GroupsOf().process(said) == groups


def test_how_long_a_certificate_is_valid_is_read_and_what_has_to_be_left_of_it() -> None:
    said = ["notBefore=Nov  8 10:00:00 2026 GMT", "notAfter=Feb  6 10:00:00 2027 GMT"]
    begin, end = datetime(2026, 11, 8, 10, tzinfo=UTC), datetime(2027, 2, 6, 10, tzinfo=UTC)
    assert ValidityOf().process(said) == Validity(begin, end)
    assert ValidityOf().process([]) is None
    assert Validity(begin, end).least(14) == 14
    assert Validity(begin, begin.replace(day=14)).least(14) == 1
