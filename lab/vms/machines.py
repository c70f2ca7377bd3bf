"""The machines, by python-vagrant: up and down, snapshots, and how to reach them."""

# mypy: allow-untyped-calls
# python-vagrant has no types.

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence

from lab import certificates, lifecycle
from lab.process import LabError, as_text, tail
from lab.topology import SERVICE_PASSWORD
from lab.vms import boxes, furnishing
from lab.vms.paths import KNOWN_HOSTS, SERVICE_PASSWORD_FILE, SSH_SETTINGS, STATE, VAGRANT_LOG
from lab.vms.topology import MACHINES, Machine, host_of
from lab.vms.vagrant_cli import Vagrant, explained

FURNISHING_TIMEOUT = 300.0  # seconds

# What is told of Vagrant's many words. It prints more than a screen for each machine.
MILESTONES = re.compile(r"==> \w+: (Adding box|Uploading|Starting domain|Machine booted).*")


def up(provider: str) -> None:
    """Bring all machines up and furnish them, side by side.

    Raises LabError with Vagrant's own words where one does not come up.
    """
    prepare()
    began = time.monotonic()
    with explained("up"), VAGRANT_LOG.open("a") as log:
        for line in Vagrant().up(provider=provider, stream_output=True):
            log.write(line)
            if found := MILESTONES.search(line):  # behind what a progress bar has left on the line
                lifecycle.report(began, found[0].removeprefix("==> "))
    with lifecycle.stage("machines furnished"):
        lifecycle.in_parallel(furnish, MACHINES)


def ensure_published(box: str, provider: str) -> None:
    """Let Vagrant have a published box. Raises LabError where it cannot be had, or is for other machines."""
    if box not in {known.name for known in Vagrant().box_list()}:
        with explained("box add"), lifecycle.stage(f"box {box} fetched"):
            Vagrant().do("box", "add", "--provider", provider, box)
    boxes.check_published(box, provider)


def prepare() -> None:
    """Make what the machines are furnished with."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificates.ensure_authority(STATE)
    SERVICE_PASSWORD_FILE.touch(mode=0o600)
    SERVICE_PASSWORD_FILE.write_text(f"{SERVICE_PASSWORD}\n")


def furnish(machine: Machine) -> None:
    """Make a booted machine one of the lab, and note how to reach it. Raises LabError where it refuses."""
    prepare()
    with explained("ssh-config"):
        settings = Vagrant().conf(vm_name=machine.name)
    archive = furnishing.archive(machine, STATE)
    try:
        done = subprocess.run(
            ssh_command(settings, furnishing.COMMAND),
            input=archive,
            capture_output=True,
            timeout=FURNISHING_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{machine.name} was not furnished within {FURNISHING_TIMEOUT:.0f} s") from error
    if done.returncode != 0:
        raise LabError(f"{machine.name} was not furnished: {tail(as_text(done.stderr))}")
    _note(machine, settings, as_text(done.stdout).splitlines())


def ssh_command(settings: dict[str, str], command: str) -> list[str]:
    """The ssh command that runs a command on a machine as Vagrant itself would, any host key accepted."""
    options = {"BatchMode": "yes", "ConnectTimeout": "20", "LogLevel": "ERROR", "Port": settings["Port"]}
    options |= {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
    words = [f"-o{key}={value}" for key, value in options.items()]
    key = settings["IdentityFile"]
    return ["ssh", "-F", "none", *words, "-i", key, f"{settings['User']}@{settings['HostName']}", command]


def save(snapshot: str) -> None:
    """Take a snapshot of all machines as they run, in the place of a former one of this name."""
    with explained("snapshot save"):
        Vagrant().do("snapshot", "save", "--force", snapshot)


def restore(snapshot: str) -> None:
    """Put all machines back to a snapshot, and their clocks right, which stood still meanwhile."""
    with explained("snapshot restore"):
        Vagrant().snapshot_restore(snapshot)
    lifecycle.in_parallel(set_clock, MACHINES)


def restore_one(machine: Machine, snapshot: str) -> None:
    """Put one machine back to a snapshot, and its clock right."""
    with explained("snapshot restore"):
        Vagrant().do("snapshot", "restore", machine.name, snapshot)
    set_clock(machine)


def restart(machines: Sequence[Machine]) -> None:
    """Shut machines down, switch them on again, side by side, and wait until they answer."""
    names = [machine.name for machine in machines]
    with explained("halt"):
        Vagrant().do("halt", *names)
    with explained("up"):
        Vagrant().do("up", *names)


def set_clock(machine: Machine) -> None:
    """Set a machine's clock to this machine's. The first connection after a restore may be lost."""
    settings = json.loads(SSH_SETTINGS.read_text())[machine.name]
    for _ in range(3):
        command = ssh_command(settings, f"sudo date --set=@{time.time():.3f}")
        if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0:
            return
    raise LabError(f"{machine.name} does not answer after it was restored")


def destroy() -> None:
    """Remove all machines, running or not, and Vagrant's copies of our boxes."""
    with explained("destroy"):
        Vagrant().destroy()
    with explained("box remove"):
        for box in Vagrant().box_list():
            if box.name.startswith(boxes.PREFIX):
                Vagrant().do("box", "remove", "--force", "--all", box.name)


def is_up() -> bool:
    """Whether all machines run."""
    with explained("status"):
        return all(status.state == "running" for status in Vagrant().status())


def _note(machine: Machine, settings: dict[str, str], keys: Sequence[str]) -> None:
    """Remember how to reach a machine. Machines come up side by side, so one at a time."""
    wanted = {name: settings[name] for name in ("HostName", "Port", "User", "IdentityFile")}
    port = "" if settings["Port"] == "22" else settings["Port"]
    names = [f"[{settings['HostName']}]:{port}" if port else settings["HostName"]]
    names += [host.ipv4 for host in machine.hosts if host is host_of("client")]
    with _alone():
        known = json.loads(SSH_SETTINGS.read_text()) if SSH_SETTINGS.exists() else {}
        SSH_SETTINGS.write_text(json.dumps(known | {machine.name: wanted}, indent=2))
        others = KNOWN_HOSTS.read_text().splitlines() if KNOWN_HOSTS.exists() else []
        kept = [line for line in others if line.split()[0] not in names]
        added = [f"{name} {' '.join(key.split()[:2])}" for name in names for key in keys]
        KNOWN_HOSTS.write_text("\n".join([*kept, *added]) + "\n")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time do this."""
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
