"""Activation: compares the desired host with the host, brings it about, and sees that the relay answers."""

from collections.abc import Iterable

import click
from pyinfra import host

from tasks.activation import files, generations, health, leftovers, manifest, packages, preflight
from tasks.activation.facts.health import rehearsal_of
from tasks.host.facts.host import HostSays
from tasks.host.operations import daemons, owned, users
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.part import Part
from tasks.postfix import operations as postfix
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import MASTER_PID
from tasks.postfix.operations import FILES as POSTFIX


def activate(wanted: Part, found: HostSays) -> None:
    """Make the host that pyinfra prepares be what is wanted.

    :param found: what it is now
    :raises PreflightError: for what cannot work, before anything on any host is changed
    """
    if preflight.fit(wanted, found):
        if host.state.check_for_changes:  # a plan, that somebody reads
            tell(wanted.notes)
        bring_about(wanted)


def tell(notes: Iterable[str]) -> None:
    """Tell what was found on the host that decides something."""
    for words in notes:
        click.echo(f"{host.print_prefix}{words}", err=True)


def bring_about(wanted: Part) -> None:
    """Call the operations for all that the host lacks."""
    former = manifest.former()
    ours = manifest.lasting(former, manifest.of(wanted))
    packages.install(wanted)
    begun = generations.begin(manifest.either(former, ours), wanted.daemons)
    join(wanted)
    files.write(wanted, former.postfix)
    start(wanted)
    switch(wanted, former.postfix)
    leftovers.remove(set(former.files) - set(wanted.files))
    settle(ours)
    generations.confirm(begun, wanted)


@step("Manifest")
def settle(ours: manifest.Manifest) -> None:
    """Keep on the host what of it is ours now."""
    owned.directory(name=f"Make {manifest.DIRECTORY}", path=manifest.DIRECTORY)
    manifest.kept(name=f"Note in {manifest.PATH} what of the host is ours", manifest=ours)


@step("Groups")
def join(wanted: Part) -> None:
    """Have users be in the groups without which they reach nobody, be it to try what is to come."""
    for user in keyed(wanted.groups):
        for group in keyed(wanted.groups[user]):
            users.in_group(name=f"Put {user} in group {group}", user=user, group=group)


@step("Daemons")
def start(wanted: Part) -> None:
    """Have what Postfix needs run with what is on disk."""
    for action in wanted.actions:
        action()
    for daemon in wanted.daemons:
        daemons.running(
            name=f"Run {daemon.unit}",
            unit=daemon.unit,
            pid_file=daemon.pid_file,
            reads=[daemon.unit_file, *daemon.reads],
            unit_file=daemon.unit_file,
            makes=list(daemon.makes),
        )
    for timer in wanted.timers:
        daemons.waiting(name=timer.title, unit=f"{timer.unit}.timer")
    for watch in wanted.watches:
        daemons.waiting(name=watch.title, unit=f"{watch.unit}.path")


@step("Activation")
def switch(wanted: Part, former: Configuration) -> None:
    """Write main.cf and master.cf, have Postfix run with them, and hold a conversation on every port."""
    postfix.configuration(
        name="Write main.cf and master.cf",
        wanted=wanted.postfix,
        former=former,
        rehearsal=rehearsal_of(wanted.probes),
    )
    daemons.running(
        name="Run Postfix",
        unit="postfix",
        pid_file=MASTER_PID,
        reads=[
            *POSTFIX,
            "/etc/group",  # a process has the groups that its user had when it began
            *wanted.rereads,
        ],
        reload="postfix reload",
    )
    *others, last = map(str, wanted.ports)
    daemons.listening(
        name=f"Have Postfix listen on {', '.join(others)} and {last}",
        unit="postfix",
        pid_file=MASTER_PID,
        families=str(wanted.postfix.parameters["inet_protocols"]),
        ports=list(wanted.ports),
        follows=list(POSTFIX),
    )
    health.answers(name="Hold a conversation with the relay", probes=list(wanted.probes))
