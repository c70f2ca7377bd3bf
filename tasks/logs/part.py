"""Logs: Postfix's log names the clients' addresses. Where they are to be forgotten, it ages out by itself.

Postfix writes to a file of its own then, by its postlogd(8), and neither the journal nor syslog has its lines
(MAILLOG_README). Every night the file is closed and the old ones are deleted. Until then the lines are whole:
what protects against guessed passwords reads them there.
"""

from functools import partial

from tasks.host.templates import render
from tasks.logs.section import Logs
from tasks.part import Directory, File, Part, Timer
from tasks.postfix.configuration import Configuration, Service

DIRECTORY = "/var/log/postfix"
LOG = f"{DIRECTORY}/mail.log"
SERVICE = "/etc/systemd/system/quietrelay-logs.service"
TIMER = "/etc/systemd/system/quietrelay-logs.timer"


def part(logs: Logs) -> Part:
    """Say where Postfix logs, and have old logs deleted; by default the system keeps them as it does."""
    if logs.keep_days is None:
        return Part()
    service = partial(
        render, "logs/quietrelay-logs.service", log=LOG, directory=DIRECTORY, keep_days=logs.keep_days
    )
    return Part(
        directories={DIRECTORY: Directory(group="adm", mode="750")},
        files={SERVICE: File(service), TIMER: File(partial(render, "logs/quietrelay-logs.timer"))},
        timers=(Timer("quietrelay-logs", f"Delete logs after {logs.keep_days} days"),),
        postfix=Configuration(
            parameters={"maillog_file": LOG},
            services={"postlog/unix-dgram": Service("postlogd", process_limit="1", shipped=True)},
        ),
    )
