"""Disk images that boot, made from a directory tree without mounting anything.

The layout is the oldest that works everywhere: a master boot record with one partition, GRUB's core image in
the gap before it, and ext4 from 1 MiB on. See GRUB's manual, «BIOS installation», and mke2fs(8) on `-d`.
"""

from __future__ import annotations

import struct
from pathlib import Path

from lab.process import run

LABEL = "quietrelay"  # of the file system, by which the kernel finds its root
SIZE = 4 * 2**30  # bytes, as the machine sees it; what is not written takes no space
SECTOR = 512  # bytes
PARTITION = 2048  # sector at which the partition begins
MINUTES = 60  # seconds

# GRUB finds its configuration in the file system, and that names what Debian's kernel packages link to.
GRUB_CORE = "/boot/core.img"
GRUB_BOOT = "/usr/lib/grub/i386-pc/boot.img"
GRUB_CONFIG = f"""\
linux /vmlinuz root=LABEL={LABEL} ro console=ttyS0 quiet mitigations=off
initrd /initrd.img
boot
"""
GRUB_SCRIPT = f"""
mkdir -p /boot/grub
cat > /boot/grub/grub.cfg <<'END'
{GRUB_CONFIG}END
grub-mkimage -O i386-pc -o {GRUB_CORE} -p '(hd0,msdos1)/boot/grub' \\
    biosdisk part_msdos ext2 linux normal configfile boot
"""

# What mke2fs makes today and the GRUB of Debian 12 does not read.
TOO_NEW = "^metadata_csum_seed,^orphan_file"


def master_boot_record(boot_code: bytes, sectors: int) -> bytes:
    """The disk's first sector: GRUB's boot code, and a table with one bootable Linux partition.

    + sectors: of the whole disk
    """
    beyond_cylinders = b"\xfe\xff\xff"  # addresses are given by sector alone
    entry = struct.pack(
        "<B3sB3sII", 0x80, beyond_cylinders, 0x83, beyond_cylinders, PARTITION, sectors - PARTITION
    )
    return boot_code[:440].ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa"


def make(root: Path, image: Path) -> None:
    """Make a qcow2 image of a system in which GRUB_SCRIPT has run.

    Raises LabError where a tool fails.
    """
    raw = image.with_suffix(".raw")
    with raw.open("wb") as disk:
        disk.truncate(SIZE)
    options = f"offset={PARTITION * SECTOR},lazy_itable_init=1,nodiscard"
    kilobytes = (SIZE - PARTITION * SECTOR) // 1024
    file_system = ["-t", "ext4", "-L", LABEL, "-E", options, "-O", TOO_NEW]
    run(["mke2fs", "-q", "-F", *file_system, "-d", root, raw, f"{kilobytes}k"], timeout=5 * MINUTES)
    boot_code = (root / GRUB_BOOT.lstrip("/")).read_bytes()
    core = (root / GRUB_CORE.lstrip("/")).read_bytes()
    assert len(core) <= (PARTITION - 1) * SECTOR, "GRUB's core image does not fit before the partition"
    with raw.open("r+b") as disk:
        disk.write(master_boot_record(boot_code, SIZE // SECTOR) + core)
    compressed = ["-c", "-o", "compression_type=zstd"]
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", *compressed, raw, image], timeout=5 * MINUTES)
    raw.unlink()
