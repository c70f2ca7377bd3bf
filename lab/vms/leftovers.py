"""What Vagrant leaves in libvirt: the images of its boxes, and machines where it was interrupted."""

from __future__ import annotations

from lab.vms import boxes
from lab.vms.daemons import virsh

POOL = "default"  # the provider uses no other


def clean() -> None:
    """Remove what is ours, by its name. Whatever Vagrant removed before is not there any more."""
    for name in _ours("list", "--name"):
        virsh("destroy", name)
    for name in _ours("list", "--all", "--name"):
        virsh("undefine", "--snapshots-metadata", name)
    if POOL in virsh("pool-list", "--name").split():
        for name in _ours("vol-list", POOL):
            virsh("vol-delete", "--pool", POOL, name)


def _ours(*words: str) -> list[str]:
    lines = virsh(*words).splitlines()
    return [line.split()[0] for line in lines if line.strip().startswith(boxes.PREFIX)]
