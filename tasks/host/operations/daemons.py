"""Daemons that run with what is on disk, decided from the host's state, not from what this run changed."""

import re
from collections.abc import Generator, Iterator, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.files import File

from tasks.host import differences
from tasks.host.facts.daemons import Daemon, DaemonSays, Rights, Unheard, Waiting, mark_of

HARMLESS = re.compile(
    r"After|Wants|Description|Documentation|On(Failure|Success)|Slice|Nice|StartLimit\w+|Restart\w*|Timeout\w+"
    r"|CPU\w+|IO\w+|Limit\w+|OOM\w+|Tasks(Accounting|Max)|Memory(Accounting|Min|Low|High|Max|SwapMax|ZSwapMax)"
)
"""What somebody may set of a unit of ours beside its file (systemd.unit(5), systemd.resource-control(5)): it
decides when it runs and how much it takes, and not what it may do."""


@operation()
def running(
    unit: str,
    pid_file: str,
    reads: Sequence[str],
    reload: str | None = None,
    unit_file: str | None = None,
    makes: Sequence[Rights] = (),
) -> Generator[StringCommand, None, None]:
    """Have a daemon running, enabled at boot, and aware of its files' present content.

    A run that was interrupted between changing a file and telling the daemon is made good by the next.

    + unit: systemd unit, without ``.service``
    + pid_file: where its process id stands
    + reads: files and directories that it reads at its start
    + reload: command that makes it read them again; without one it is restarted
    + unit_file: the unit's file, where that is ours
    + makes: what is there while it runs, and its user's; where somebody has changed that, the daemon is
        restarted, for who knows what else has been put there
    """
    found = host.get_fact(
        Daemon, unit=unit, pid_file=pid_file, reads=reads, makes=[one.path for one in makes]
    )
    _tell(found, f"{unit}.service", unit_file)
    open_to_others = dict(_otherwise(found["made"], makes)) if found["alive"] else {}
    for path, words in open_to_others.items():
        differences.tell(path, words)
    commands = list(_commands(found, unit, reload, unit_file, bool(open_to_others)))
    if not commands:
        host.noop(f"{unit} runs with what is on disk")
    yield from commands


def _tell(found: DaemonSays, name: str, unit_file: str | None) -> None:
    if unit_file is not None and found["unit_file"] != unit_file:
        differences.tell(name, f"is not run from {unit_file}", [unit_file])
    elif found["unit_changed"]:
        differences.tell(name, "systemd has not read its file since that was changed", [unit_file or ""])
    if not found["enabled"]:
        differences.tell(name, "does not start at boot")
    if not found["alive"]:
        differences.tell(name, "does not run")
    for path in found["newer"] if found["alive"] else []:
        differences.tell(name, f"may not have read {path} since that was changed", [path])
    for path, settings in found["drop_ins"].items() if unit_file else []:
        if strange := [setting for setting in settings if not HARMLESS.fullmatch(setting)]:
            words = f"sets {', '.join(strange)} of {name}, on whose settings promises rest; remove it"
            differences.tell(path, words, mended=False)


def _otherwise(made: Sequence[Rights], makes: Sequence[Rights]) -> Iterator[tuple[str, str]]:
    """Say of each path how it is otherwise than a daemon makes it."""
    found = {one.path: one for one in made}
    for path, group, mode in makes:
        if path not in found:
            yield path, "is not there"
        elif not found[path].group:
            yield path, "is another user's than its daemon's"
        elif words := differences.rights(found[path]._asdict(), group, mode, None):
            yield path, words


def _commands(
    found: DaemonSays, unit: str, reload: str | None, unit_file: str | None, afresh: bool = False
) -> Generator[StringCommand, None, None]:
    # The unit that systemd made of an init script is unchanged, and hides ours until it looks again.
    another = unit_file is not None and found["unit_file"] != unit_file
    if found["unit_changed"] or another:
        yield StringCommand("systemctl daemon-reload")
    if not found["enabled"]:
        yield StringCommand("systemctl enable --quiet", QuoteString(unit))
    if another or afresh or not found["alive"] or (found["newer"] and not reload):
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
    differences.tell(unit_file, "is left of an earlier run, and not wanted any more")
    yield StringCommand("systemctl disable --quiet --now", QuoteString(unit))
    # What it has kept goes too (systemctl(1), clean), if there is any.
    yield StringCommand("systemctl clean --what=state", QuoteString(unit), "2>/dev/null || true")
    yield StringCommand("rm", QuoteString(unit_file), "&& systemctl daemon-reload")


@operation()
def listening(
    unit: str, pid_file: str, families: str, ports: Sequence[int], follows: Sequence[str] = ()
) -> Generator[StringCommand, None, None]:
    """Have a daemon listen on all addresses, by a restart where a reload did not bring it there.

    Postfix's master opens the sockets of new services when it is reloaded, but does not rebind those that it
    has (postconf(5), inet_interfaces and inet_protocols).

    + unit: systemd unit, without ``.service``
    + pid_file: where its process id stands
    + families: all, or ipv4 (postconf(5), inet_protocols)
    + ports: TCP ports
    + follows: files that decide where it listens
    """
    if unheard := host.get_fact(Unheard, pid_file=pid_file, families=families, ports=ports):
        words = f"does not listen on {' '.join(unheard)}"
        differences.tell(f"ports of {unit}", words, [f"{unit}.service", *follows])
        yield _restart(unit)
    else:
        host.noop(f"{unit} listens on {', '.join(map(str, ports))}")


def _restart(unit: str) -> StringCommand:
    # Repeated starts run into systemd's start limit (systemd.unit(5)): begin afresh. On Debian 12 Postfix's
    # unit is an umbrella, and the limit is that of postfix@-.
    return StringCommand(f"systemctl reset-failed {unit} '{unit}@*' 2>/dev/null; systemctl restart {unit}")


@operation()
def waiting(unit: str) -> Generator[StringCommand, None, None]:
    """Have a timer or a path unit wait, now and after a boot, with what is on disk.

    + unit: systemd unit, with its suffix
    """
    if host.get_fact(Waiting, unit=unit)["waits"]:
        host.noop(f"{unit} waits")
        return
    differences.tell(unit, "does not wait, now and after a boot")
    # systemd reads all of its units again for each of these words, unless it is told not to.
    enabled = StringCommand("systemctl enable --quiet --no-reload", QuoteString(unit))
    yield StringCommand(enabled, "&& systemctl daemon-reload && systemctl start", QuoteString(unit))
