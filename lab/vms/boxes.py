"""Vagrant boxes, built once and kept: a Debian with a kernel, from the machine's own package sources.

A box starts from the same base as the lab's containers. It is named after a hash of everything that went
into it, so a changed definition is another box and an unchanged one is never built twice. What the deploy
installs is not in it; what the outside world is made of is. No mount but an overlay is needed.
"""

from __future__ import annotations

import json
import os
import platform
import tarfile
from pathlib import Path

from lab import bases, lifecycle
from lab.mounts import mount_overlay, remove_tree
from lab.process import LabError
from lab.roles import ROLES
from lab.vms import disk
from lab.vms.paths import BOXES
from lab.vms.topology import MACHINES, Machine

KERNEL = "linux-image-cloud-amd64 udev e2fsprogs grub-pc-bin"
WORLD_EXTRA = ("dnsmasq-base", "openssh-server")
ARCHITECTURE = "amd64"
PREFIX = "quietrelay-"  # of the names of our boxes and machines

# Vagrant logs in with a key that everybody has (vagrantup.com, «Insecure Keypair»): only this machine reaches
# the VMs.
VAGRANT_KEY = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2Y"
    "J6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4"
    "O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYS"
    "dETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ=="
    " vagrant insecure public key\n"
)

# Runs inside the system, before the packages come.
BEFORE = """
apt-get clean
# A short list boots faster than «most», under emulation above all.
mkdir -p /etc/initramfs-tools/conf.d /usr/share/initramfs-tools/modules.d
echo MODULES=list > /etc/initramfs-tools/conf.d/box
printf 'virtio_pci\\nvirtio_blk\\next4\\n' > /usr/share/initramfs-tools/modules.d/box
# No power cut threatens these disks, and each fsync costs.
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/box
"""

# And after they are there.
AFTER = f"""
apt-get clean
{disk.GRUB_SCRIPT}
echo 'LABEL={disk.LABEL} / ext4 errors=remount-ro 0 1' > /etc/fstab
useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/vagrant
chmod 0440 /etc/sudoers.d/vagrant
install -d -o vagrant -g vagrant -m 0700 /home/vagrant/.ssh
install -o vagrant -g vagrant -m 0600 /dev/null /home/vagrant/.ssh/authorized_keys
cat > /home/vagrant/.ssh/authorized_keys <<'END'
{{key}}END
# Each machine makes its own, at its first boot.
: > /etc/machine-id
cat > /etc/systemd/system/ssh-host-keys.service <<'END'
[Unit]
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=ssh.service
END
systemctl --quiet enable ssh-host-keys
# An address by DHCP, as Vagrant expects; told apart by hardware address, since copies share a machine-id.
cat > /etc/systemd/network/90-dhcp.network <<'END'
[Match]
Type=ether
[Network]
DHCP=ipv4
[DHCPv4]
ClientIdentifier=mac
END
systemctl --quiet mask systemd-networkd-wait-online.service
# Nobody sits at its console.
systemctl --quiet mask getty@tty1 serial-getty@ttyS0
# What a first boot would do because /usr is newer than /etc and /var (systemd-update-done.service(8)).
ldconfig
systemctl --quiet mask systemd-journal-catalog-update
touch /etc/.updated /var/.updated
systemctl --quiet mask e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer
echo debian > /etc/hostname
printf '127.0.0.1 localhost debian\n::1 localhost\n' > /etc/hosts
: > /etc/resolv.conf
"""


def script(machine: Machine) -> str:
    """What makes a base the system of a box."""
    install = bases.INSTALL.format(packages=" ".join([*KERNEL.split(), *packages(machine)]))
    return BEFORE + install + AFTER.format(key=VAGRANT_KEY)


def packages(machine: Machine) -> list[str]:
    """What a machine has beforehand: nothing of what the deploy installs."""
    wanted = [package for host in machine.hosts for package in ROLES[host.role].packages]
    return wanted if machine.is_relay else [*wanted, *WORLD_EXTRA]


def name(machine: Machine) -> str:
    """The name of a machine's box, which changes with what goes into it."""
    key = bases.key(bases.base_path(machine.release).name, script(machine), disk.LABEL, str(disk.SIZE))
    return f"{PREFIX}{machine.name}-{key}"


def path(machine: Machine) -> Path:
    """Where a machine's box is, built or not."""
    return BOXES / f"{name(machine)}.box"


def kernel(machine: Machine) -> Path:
    """Where the kernel of a machine's box is, for a trial without a disk."""
    return path(machine).with_suffix(".vmlinuz")


def ensure(machine: Machine) -> None:
    """Build a machine's box unless it is there. Raises LabError where packages or disk space are missing."""
    BOXES.mkdir(parents=True, exist_ok=True)
    with lifecycle.locked():
        if path(machine).exists():
            return
        lifecycle.ensure_base(machine.release)
        with lifecycle.stage(f"box for {machine.name} built"):
            _build(machine)


def prune() -> None:
    """Remove boxes of former definitions, and interrupted builds."""
    wanted = {file(machine) for machine in MACHINES for file in (path, kernel)}
    for entry in BOXES.iterdir():
        if entry not in wanted:
            remove_tree(entry)


def check_architecture() -> None:
    """Raises LabError on a machine for which no box can be built."""
    here = architecture()
    if here != ARCHITECTURE:
        raise LabError(
            f"boxes are built for {ARCHITECTURE} and this machine is {here}: name a published box of its"
            " architecture in $QUIETRELAY_BOX"
        )


def check_published(name: str, provider: str) -> None:
    """Raises LabError where a box of this name, if Vagrant has it, says that it is for other machines."""
    home = Path(os.environ.get("VAGRANT_HOME", "~/.vagrant.d")).expanduser()
    folder = home / "boxes" / name.replace("/", "-VAGRANTSLASH-")
    for metadata_file in folder.glob(f"**/{provider}/metadata.json"):
        meant_for = json.loads(metadata_file.read_text()).get("architecture", architecture())
        if meant_for != architecture():
            raise LabError(f"box {name} is for {meant_for}, and this machine is {architecture()}")


def architecture() -> str:
    """This machine's architecture, as Debian and Vagrant call it."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return names.get(platform.machine(), platform.machine())


def _build(machine: Machine) -> None:
    directory = BOXES / f"{machine.name}.partial"
    remove_tree(directory)
    root = mount_overlay([bases.base_path(machine.release)], directory)
    try:
        bases.run_inside(root, script(machine), timeout=bases.BUILD_TIMEOUT)
        disk.make(root, directory / "box.img")
        kernel(machine).write_bytes(_kernel(root))
        (directory / "metadata.json").write_text(json.dumps(metadata()))
        with tarfile.open(directory / "box.tar", "w") as box:
            for member in ("metadata.json", "box.img"):
                box.add(directory / member, arcname=member)
        (directory / "box.tar").rename(path(machine))  # last: where it is, the rest is
    finally:
        remove_tree(directory)


def metadata() -> dict[str, str | int]:
    """What Vagrant and its libvirt provider want to know of a box."""
    return {
        "provider": "libvirt",
        "format": "qcow2",
        "virtual_size": disk.SIZE // 2**30,
        "architecture": ARCHITECTURE,
    }


def _kernel(root: Path) -> bytes:
    (found,) = (root / "boot").glob("vmlinuz-*")  # one was installed
    return found.read_bytes()
