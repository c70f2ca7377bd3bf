"""Activation: compares the desired host with the host, brings it about, and sees that the relay answers."""

from pyinfra.operations import files as pyinfra_files

from tasks.activation import files, generations, health, leftovers, manifest, packages, preflight
from tasks.host.facts.host import HostSays
from tasks.host.operations import daemons, users
from tasks.host.order import keyed
from tasks.host.step import step
from tasks.part import Part
from tasks.postfix import operations as postfix
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import MASTER_PID


def activate(wanted: Part, found: HostSays) -> None:
    """Make the host that pyinfra prepares be what is wanted.

    :param found: what it is now
    :raises PreflightError: for what cannot work, before anything on any host is changed
    """
    preflight.check(wanted, found)
    former, ours = manifest.former(), manifest.of(wanted)
    packages.install(wanted)
    either = manifest.either(former, ours)
    begun = generations.begin(either)
    expect(either)
    files.write(wanted)
    start(wanted)
    switch(wanted, former.postfix)
    leftovers.remove(set(former.files) - set(wanted.files))
    settle(ours)
    generations.confirm(begun, wanted)


@step("Manifest")
def expect(either: manifest.Manifest) -> None:
    """Keep on the host what of it may be ours from now on, before it is."""
    pyinfra_files.directory(
        name=f"Make {manifest.DIRECTORY}", path=manifest.DIRECTORY, user="root", group="root", mode="755"
    )
    manifest.kept(name=f"Note in {manifest.PATH} what of the host may be ours", manifest=either)


@step("Manifest")
def settle(ours: manifest.Manifest) -> None:
    """Keep on the host what of it is ours now."""
    manifest.kept(name=f"Note in {manifest.PATH} what of the host is ours", manifest=ours)


@step("Daemons")
def start(wanted: Part) -> None:
    """Have what Postfix needs run with what is on disk."""
    for user in keyed(wanted.groups):
        for group in keyed(wanted.groups[user]):
            users.in_group(name=f"Put {user} in group {group}", user=user, group=group)
    for action in wanted.actions:
        action()
    for daemon in wanted.daemons:
        daemons.running(
            name=f"Run {daemon.unit}",
            unit=daemon.unit,
            pid_file=daemon.pid_file,
            reads=[daemon.unit_file, *daemon.reads],
            unit_file=daemon.unit_file,
        )
    for timer in wanted.timers:
        daemons.timer(name=timer.title, unit=timer.unit)


@step("Activation")
def switch(wanted: Part, former: Configuration) -> None:
    """Write main.cf and master.cf, have Postfix run with them, and hold a conversation on every port."""
    postfix.configuration(name="Write main.cf and master.cf", wanted=wanted.postfix, former=former)
    daemons.running(
        name="Run Postfix",
        unit="postfix",
        pid_file=MASTER_PID,
        reads=[
            "/etc/postfix/main.cf",
            "/etc/postfix/master.cf",
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
    )
    health.answers(name="Hold a conversation with the relay", probes=list(wanted.probes))
