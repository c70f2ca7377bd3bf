"""Logs: Postfix's log names the clients' addresses. Where they are to be forgotten, it ages out by itself.

Postfix writes to a file of its own then, by its postlogd(8), and neither the journal nor syslog has its lines
(MAILLOG_README). Every night the file is closed and the old ones are deleted. Until then the lines are whole:
what protects against guessed passwords reads them there.
"""

from pyinfra import host
from pyinfra.operations import files

from tasks import settings
from tasks.host import templates
from tasks.host.operations import daemons
from tasks.host.step import step
from tasks.postfix.configuration import Configuration, Service
from tasks.postfix.facts import PostfixSays
from tasks.settings import Settings

DIRECTORY = "/var/log/postfix"
LOG = f"{DIRECTORY}/mail.log"
SERVICE = "/etc/systemd/system/quietrelay-logs.service"
TIMER = "/etc/systemd/system/quietrelay-logs.timer"


@step("Logs")
def configure() -> Configuration:
    """Say where Postfix logs, and have old logs deleted."""
    relay = settings.of(host)
    if relay.logs.keep_days is None:
        daemons.no_timer(name="Keep logs as the system does", unit="quietrelay-logs", files=[TIMER, SERVICE])
        found = host.get_fact(PostfixSays)
        return configuration(relay, found["main"].get("maillog_file") if found else None)
    files.directory(name=f"Make {DIRECTORY}", path=DIRECTORY, user="root", group="adm", mode="750")
    keep_days = relay.logs.keep_days
    templates.put(
        "systemd/quietrelay-logs.service", SERVICE, log=LOG, directory=DIRECTORY, keep_days=keep_days
    )
    templates.put("systemd/quietrelay-logs.timer", TIMER)
    daemons.timer(name=f"Delete logs after {keep_days} days", unit="quietrelay-logs")
    return configuration(relay, None)


def configuration(relay: Settings, found: str | None) -> Configuration:
    """Say where Postfix logs (postconf(5), maillog_file).

    :param found: where it does now; a file of the admin's stays
    """
    if relay.logs.keep_days is None:
        return Configuration(parameters={"maillog_file": None} if found == LOG else {})
    return Configuration(
        parameters={"maillog_file": LOG},
        services={"postlog/unix-dgram": Service("postlogd", process_limit="1")},
    )
