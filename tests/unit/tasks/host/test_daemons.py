"""A daemon is told of what changed, and left alone where nothing did."""

from typing import Any, cast

import pytest

from tasks.host.facts.daemons import DaemonSays, Timer, mark_of
from tasks.host.operations.daemons import _commands

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
    ("said", "runs"),
    [
        ("UnitFileState=enabled ActiveState=active NeedDaemonReload=no", True),
        ("UnitFileState=disabled ActiveState=active NeedDaemonReload=no", False),
        ("UnitFileState=enabled ActiveState=inactive NeedDaemonReload=no", False),
        ("UnitFileState=enabled ActiveState=active NeedDaemonReload=yes", False),
        ("ActiveState=inactive NeedDaemonReload=no", False),
    ],
)
def test_timer_runs_only_with_what_is_on_disk(said: str, runs: bool) -> None:
    service = ["UnitFileState=static", "ActiveState=inactive", "NeedDaemonReload=no"]
    assert Timer().process([*said.split(), *service])["runs"] is runs
