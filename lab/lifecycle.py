"""Bringing the lab up and down. What is well is kept, what is missing or broken is made anew."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lab import access, bases, certificates, cgroups, containers, dns, network
from lab.mounts import check, remove_tree, unmount_below
from lab.paths import CACHE, STATE
from lab.process import LabError, wait_until
from lab.roles import ROLES
from lab.topology import HOSTS, Host, Release

LOCK_TIMEOUT = 600.0  # seconds; a cold start of another one takes less

T = TypeVar("T")


def up(recreated: Sequence[Host] = ()) -> None:
    """Bring up whatever is not up.

    + recreated: hosts that are put into their first state even if they are well

    Raises LabError; what runs by then stays, for a look or another try.
    """
    for directory in (CACHE, STATE):
        check(directory)
    with locked():
        STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
        in_parallel(ensure_base, sorted({host.release for host in HOSTS}))
        in_parallel(ensure_layer, HOSTS)
        with stage("network, name server and keys"):
            network.ensure()
            dns.ensure()
            access.ensure()
            certificates.ensure_authority()
        in_parallel(ensure_host, [host for host in HOSTS if host not in recreated])
        in_parallel(recreate_host, recreated)
        bases.prune(containers.every_layer(sorted({host.release for host in HOSTS})))


def add(hosts: Sequence[Host]) -> None:
    """Bring up hosts beside those of a running lab; they go with it.

    Raises as `up` does.
    """
    with locked():
        check_up()
        for host in {(host.role, host.release): host for host in hosts}.values():
            ensure_layer(host)
        access.ensure([*HOSTS, *hosts])
        in_parallel(ensure_host, hosts)


def down() -> None:
    """Leave nothing of a running or half-started lab but the cache. Safe at any time."""
    with locked():
        with stage("hosts stopped"):
            stop_everything()
        with stage("network, mounts and state removed"):
            unmount_below(CACHE)
            unmount_below(STATE)
            network.remove()
            remove_tree(STATE)
            bases.prune([path for path in CACHE.iterdir() if path.suffix != ".partial"])


def purge() -> None:
    """Remove the cache. The lab has to be down."""
    with stage(f"{CACHE} removed"):
        remove_tree(CACHE)


def reset(host: Host) -> None:
    """Put one host of a running lab into its first state."""
    with locked():
        check_up()
        recreate_host(host)


def restart(host: Host) -> None:
    """Shut one host of a running lab down in good order and boot it with what it has on disk."""
    with locked(), stage(f"{host.name} restarted"):
        check_up()
        containers.stop(host)
        containers.boot(host)


def ensure_base(release: Release) -> None:
    """Build the base of a release unless it is cached."""
    if not bases.base_path(release).exists():
        with stage(f"base {release} built"):
            bases.build_base(release)


def ensure_layer(host: Host) -> None:
    """Build what a host's role installs unless it is cached, or nothing."""
    packages = ROLES[host.role].packages
    if packages and not bases.layer_path(host.role, host.release, packages).exists():
        with stage(f"layer {host.role} built"):
            bases.build_layer(host.role, host.release, packages)


def stop_everything() -> None:
    """Shut all hosts down at once, then end whatever else the lab has running, builds included."""
    cgroups.end(dns.GROUP)
    for host in HOSTS:
        access.disconnect(host)
        containers.ask_to_stop(host)
    with contextlib.suppress(LabError):  # what does not stop by itself is ended
        wait_until(_no_host_runs, "shutdowns", timeout=containers.STOP_TIMEOUT)
    cgroups.end()


def ensure_host(host: Host) -> None:
    """Start a host that is not well."""
    start = time.monotonic()
    if containers.is_current(host):
        report(start, f"{host.name} is up already")
    else:
        recreate_host(host)


def recreate_host(host: Host) -> None:
    """Put a host into its first state, and say so."""
    with stage(f"{host.name} started in its first state"):
        containers.recreate(host)


def check_up() -> None:
    """Raises LabError unless there is a lab with a network."""
    if not dns.answers():
        raise LabError("the lab is not up; start it: python -m lab up")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Let one command at a time change the lab. The kernel unlocks when the process ends, however it ends.

    Raises LabError if another one does not end.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = os.open(CACHE, os.O_RDONLY)
    try:
        if not _lock(directory):
            print("waiting for another command of the lab to end", flush=True)
            wait_until(lambda: _lock(directory), "another command of the lab", timeout=LOCK_TIMEOUT)
        yield
    finally:
        os.close(directory)


@contextlib.contextmanager
def stage(title: str) -> Iterator[None]:
    """Print what was done and how long it took, once it is done."""
    start = time.monotonic()
    yield
    report(start, title)


def report(start: float, text: str) -> None:
    """Print one line of progress. + start: reading of time.monotonic()"""
    print(f"{time.monotonic() - start:6.1f} s  {text}", flush=True)


def in_parallel(act: Callable[[T], None], things: Iterable[T]) -> None:
    """Do something with all things at once. The first error is raised, after all have ended."""
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(act, things):
            pass


def _no_host_runs() -> bool:
    return not any(cgroups.populated(host.short) for host in HOSTS)


def _lock(directory: int) -> bool:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
