"""A daemon is told of what changed, and left alone where nothing did."""

from typing import Any, cast

import pytest

from tasks.host.facts.daemons import Daemon, DaemonSays, Rights, Waiting, mark_of
from tasks.host.operations.daemons import HARMLESS, _commands, _otherwise

UNIT_FILE = "/etc/systemd/system/postfix.service"
RELOAD = f"touch {mark_of('postfix')} && postfix reload"
RESTART = "systemctl reset-failed postfix 'postfix@*' 2>/dev/null; systemctl restart postfix"


@pytest.mark.parametrize(
    ("differences", "reload", "commands"),
    [
        ({}, "postfix reload", []),
        ({}, None, []),
        ({"newer": ["/etc/postfix/main.cf"]}, "postfix reload", [RELOAD]),
        ({"newer": ["/etc/saslauthd.conf"]}, None, [RESTART]),
        ({"alive": False}, "postfix reload", [RESTART]),
        ({"alive": False, "newer": ["/etc/postfix/main.cf"]}, "postfix reload", [RESTART]),
        ({"enabled": False}, "postfix reload", ["systemctl enable --quiet postfix"]),
        ({"unit_changed": True}, "postfix reload", ["systemctl daemon-reload"]),
        ({"unit_file": "/run/init-script.service"}, None, ["systemctl daemon-reload", RESTART]),
        (
            {"unit_changed": True, "enabled": False, "newer": ["/etc/systemd/system/postfix.service"]},
            None,
            ["systemctl daemon-reload", "systemctl enable --quiet postfix", RESTART],
        ),
    ],
)
def test_daemon_is_told_as_little_as_is_needed(
    differences: dict[str, Any], reload: str | None, commands: list[str]
) -> None:
    sound: dict[str, Any] = {"alive": True, "enabled": True, "unit_changed": False, "newer": []}
    sound |= {"unit_file": UNIT_FILE}
    found = cast(DaemonSays, sound | differences)
    given = _commands(found, "postfix", reload, UNIT_FILE)
    assert [command.get_raw_value() for command in given] == commands


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("UnitFileState=enabled ActiveState=active NeedDaemonReload=no", True),
        ("UnitFileState=disabled ActiveState=active NeedDaemonReload=no", False),
        ("UnitFileState=enabled ActiveState=inactive NeedDaemonReload=no", False),
        ("UnitFileState=enabled ActiveState=active NeedDaemonReload=yes", False),
        ("ActiveState=inactive NeedDaemonReload=no", False),
    ],
)
def test_timer_waits_only_with_what_is_on_disk(said: str, waits: bool) -> None:
    service = ["UnitFileState=static", "ActiveState=inactive", "NeedDaemonReload=no"]
    assert Waiting().process([*said.split(), *service])["waits"] is waits


def test_what_drop_ins_set_is_read_by_file() -> None:
    said = ["DropIn=/etc/a.conf:MemoryMax=", "DropIn=/etc/a.conf: User =", "DropIn=/run/b.conf:Nice="]
    assert Daemon().process(said)["drop_ins"] == {
        "/etc/a.conf": ["MemoryMax", "User"],
        "/run/b.conf": ["Nice"],
    }


@pytest.mark.parametrize(
    ("setting", "harmless"),
    [
        ("MemoryMax", True),
        ("CPUQuota", True),
        ("OnFailure", True),
        ("RestartSec", True),
        ("MemoryDenyWriteExecute", False),
        ("LoadCredential", False),
        ("ExecStart", False),
        ("ExecStartPre", False),
        ("Environment", False),
        ("UMask", False),
    ],
)
def test_a_drop_in_may_say_what_a_unit_takes_and_not_what_it_may_do(setting: str, harmless: bool) -> None:
    assert bool(HARMLESS.fullmatch(setting)) is harmless


def test_what_a_daemon_makes_is_compared_by_owner_group_and_mode() -> None:
    wanted = [Rights(f"/run/{name}", "sasl", "710") for name in ("a", "b", "c", "d")]
    said = ["Made=own 710 sasl /run/a", "Made=own 755 root /run/b", "Made=65534 710 sasl /run/c"]
    assert dict(_otherwise(Daemon().process(said)["made"], wanted)) == {
        "/run/b": "its group is root, not sasl, its mode is 755, not 710",
        "/run/c": "is another user's than its daemon's",
        "/run/d": "is not there",
    }


def test_a_daemon_whose_directory_was_opened_begins_afresh() -> None:
    sound: dict[str, Any] = {"alive": True, "enabled": True, "unit_changed": False, "newer": []}
    found = cast(DaemonSays, sound | {"unit_file": UNIT_FILE})
    given = _commands(found, "postfix", "postfix reload", UNIT_FILE, afresh=True)
    assert [command.get_raw_value() for command in given] == [RESTART]
