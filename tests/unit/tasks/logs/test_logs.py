"""Postfix's log: where it goes, and when it goes."""

import pytest

from tasks.host.templates import render
from tasks.logs import part as logs
from tasks.postfix.configuration import Postconf, Service, calls, changes
from tasks.settings import Logs, SettingsError

KEEPING = logs.part(Logs(keep_days=7)).postfix


def test_log_that_ages_out_is_a_file_of_its_own() -> None:
    assert KEEPING.parameters == {"maillog_file": logs.LOG}
    assert KEEPING.services == {"postlog/unix-dgram": Service("postlogd", process_limit="1", shipped=True)}


@pytest.mark.parametrize(
    ("found", "expected"),
    [(None, []), ("/var/log/admins.log", []), (logs.LOG, [["-X", "maillog_file"]])],
)
def test_without_the_setting_logs_are_the_systems_again_and_the_admins_stay(
    found: str | None, expected: list[list[str]]
) -> None:
    main = {"maillog_file": found} if found else {}
    says = Postconf(
        known=["maillog_file"], main=main, defaults={}, filtering=[], entries={}, services={}, options={}
    )
    assert calls(changes(logs.part(Logs()).postfix, says, former=KEEPING)) == expected


@pytest.mark.parametrize(
    ("days", "age"), [(1, "mail.log.* -delete"), (2, "-mmin +1380 -delete"), (7, "-mmin +8580 -delete")]
)
def test_files_are_deleted_when_their_oldest_line_has_its_days(days: int, age: str) -> None:
    unit = render("logs/quietrelay-logs.service", log=logs.LOG, directory=logs.DIRECTORY, keep_days=days)
    assert unit.rstrip().endswith(age)


@pytest.mark.parametrize("days", [0, 366, -1])
def test_days_are_days_of_a_year(days: int) -> None:
    with pytest.raises(SettingsError, match="keep_days"):
        Logs(keep_days=days)
