"""Daemons that run with what is on disk, decided from the host's state, not from what this run changed."""

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.files import File

from tasks.host.facts.daemons import Daemon, DaemonSays, Timer, Unheard, mark_of


@operation()
def running(
    unit: str, pid_file: str, reads: Sequence[str], reload: str | None = None, unit_file: str | None = None
) -> Generator[StringCommand, None, None]:
    """Have a daemon running, enabled at boot, and aware of its files' present content.

    A run that was interrupted between changing a file and telling the daemon is made good by the next.

    + unit: systemd unit, without ``.service``
    + pid_file: where its process id stands
    + reads: files and directories that it reads at its start
    + reload: command that makes it read them again; without one it is restarted
    + unit_file: the unit's file, where that is ours
    """
    found = host.get_fact(Daemon, unit=unit, pid_file=pid_file, reads=reads)
    commands = list(_commands(found, unit, reload, unit_file))
    if not commands:
        host.noop(f"{unit} runs with what is on disk")
    yield from commands


def _commands(
    found: DaemonSays, unit: str, reload: str | None, unit_file: str | None
) -> Generator[StringCommand, None, None]:
    # The unit that systemd made of an init script is unchanged, and hides ours until it looks again.
    another = unit_file is not None and found["unit_file"] != unit_file
    if found["unit_changed"] or another:
        yield StringCommand("systemctl daemon-reload")
    if not found["enabled"]:
        yield StringCommand("systemctl enable --quiet", QuoteString(unit))
    if another or not found["alive"] or (found["newer"] and not reload):
        yield _restart(unit)
    elif found["newer"]:
        # The mark comes first: what changes while the daemon reads is newer than the mark.
        yield StringCommand("touch", QuoteString(mark_of(unit)), "&&", str(reload))


@operation()
def gone(unit: str, unit_file: str) -> Generator[StringCommand, None, None]:
    """Have a daemon of ours stopped for good.

    Another unit of the same name, a package's own, comes to light then, and stays switched off.

    + unit: systemd unit, without ``.service``
    + unit_file: the unit's file, which is ours
    """
    if not host.get_fact(File, path=unit_file):
        host.noop(f"there is no {unit_file}")
        return
    yield StringCommand("systemctl disable --quiet --now", QuoteString(unit))
    yield StringCommand("rm", QuoteString(unit_file), "&& systemctl daemon-reload")


@operation()
def listening(
    unit: str, pid_file: str, families: str, ports: Sequence[int]
) -> Generator[StringCommand, None, None]:
    """Have a daemon listen on all addresses, by a restart where a reload did not bring it there.

    Postfix's master opens the sockets of new services when it is reloaded, but does not rebind those that it
    has (postconf(5), inet_interfaces and inet_protocols).

    + unit: systemd unit, without ``.service``
    + pid_file: where its process id stands
    + families: all, or ipv4 (postconf(5), inet_protocols)
    + ports: TCP ports
    """
    if host.get_fact(Unheard, pid_file=pid_file, families=families, ports=ports):
        yield _restart(unit)
    else:
        host.noop(f"{unit} listens on {', '.join(map(str, ports))}")


def _restart(unit: str) -> StringCommand:
    # Repeated starts run into systemd's start limit (systemd.unit(5)): begin afresh. On Debian 12 Postfix's
    # unit is an umbrella, and the limit is that of postfix@-.
    return StringCommand(f"systemctl reset-failed {unit} '{unit}@*' 2>/dev/null; systemctl restart {unit}")


@operation()
def timer(unit: str) -> Generator[StringCommand, None, None]:
    """Have a timer wait for its time, now and after a boot, with what is on disk.

    + unit: systemd unit, without ``.timer``
    """
    if host.get_fact(Timer, unit=unit)["runs"]:
        host.noop(f"{unit}.timer runs")
        return
    yield StringCommand(
        "systemctl daemon-reload && systemctl enable --quiet --now", QuoteString(f"{unit}.timer")
    )


@operation()
def no_timer(unit: str, files: Sequence[str]) -> Generator[StringCommand, None, None]:
    """Take a timer of ours back.

    + unit: systemd unit, without ``.timer``
    + files: its unit files
    """
    if not host.get_fact(Timer, unit=unit)["known"]:
        host.noop(f"there is no {unit}.timer")
        return
    yield StringCommand("systemctl disable --quiet --now", QuoteString(f"{unit}.timer"))
    yield StringCommand("rm -f", *map(QuoteString, files), "&& systemctl daemon-reload")
