"""Boxes: what goes into them, what their disks look like, and under what they would be run."""

import json
import struct
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from lab import bases
from lab.process import LabError
from lab.vms import acceleration, boxes, disk
from lab.vms.topology import MACHINES, WORLD, Machine

every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
relay_machine = pytest.mark.parametrize(
    "machine", [machine for machine in MACHINES if machine.is_relay], ids=lambda machine: machine.name
)


class TestBoxes:
    @every_machine
    def test_a_box_is_named_after_what_goes_into_it(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = boxes.name(machine)
        monkeypatch.setattr(boxes, "BEFORE", boxes.BEFORE + "true\n")
        assert boxes.name(machine) != before

    @relay_machine
    def test_nothing_that_the_deploy_installs_is_in_a_relays_box(self, machine: Machine) -> None:
        assert boxes.packages(machine) == []
        assert set(boxes.KERNEL.split()) & set(bases.DEPLOY.split()) == set()
        assert boxes.script(machine).count("apt-get clean") == 2  # what the base had downloaded is gone

    def test_the_world_is_furnished_without_fetching_packages(self) -> None:
        assert {"slapd", "postfix", "dnsmasq-base"} <= set(boxes.packages(WORLD))

    def test_another_architecture_is_refused_in_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(boxes.platform, "machine", lambda: "aarch64")
        with pytest.raises(LabError, match=r"amd64 and this machine is arm64: .*QUIETRELAY_BOX"):
            boxes.check_architecture()

    @pytest.mark.parametrize(("meant_for", "refused"), [("arm64", True), ("amd64", False), (None, False)])
    def test_a_published_box_for_other_machines_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, meant_for: str | None, refused: bool
    ) -> None:
        box = tmp_path / "boxes" / "debian-VAGRANTSLASH-trixie64" / "13.1" / "libvirt"
        box.mkdir(parents=True)
        said = {"architecture": meant_for} if meant_for else {}
        (box / "metadata.json").write_text(json.dumps({"provider": "libvirt"} | said))
        monkeypatch.setenv("VAGRANT_HOME", str(tmp_path))
        monkeypatch.setattr(boxes.platform, "machine", lambda: "x86_64")
        expected = pytest.raises(LabError, match="debian/trixie64 is for arm64") if refused else nullcontext()
        with expected:
            boxes.check_published("debian/trixie64", "libvirt")


class TestDisk:
    record = disk.master_boot_record(b"\xeb" * 512, 8 * 2**20)

    def test_the_boot_record_is_one_sector_that_a_bios_takes_for_bootable(self) -> None:
        assert len(self.record) == 512
        assert self.record[510:] == b"\x55\xaa"
        assert self.record[446] == 0x80

    def test_the_partition_reaches_from_its_start_to_the_end(self) -> None:
        kind = self.record[450]
        start, length = struct.unpack("<II", self.record[454:462])
        assert (kind, start, start + length) == (0x83, disk.PARTITION, 8 * 2**20)

    def test_the_boot_code_does_not_reach_into_the_table(self) -> None:
        assert self.record[440:446] == bytes(6)


class TestAcceleration:
    def trial(self, monkeypatch: pytest.MonkeyPatch, printed: bytes | Exception) -> bool:
        def run(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
            if isinstance(printed, Exception):
                raise printed
            return subprocess.CompletedProcess([], 0, printed)

        monkeypatch.setattr(acceleration.subprocess, "run", run)
        return acceleration.boots_under_kvm(Path("vmlinuz"))

    def test_a_kernel_that_looks_for_its_root_has_booted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.trial(monkeypatch, b"[1.0] Kernel panic - not syncing: VFS: Unable to mount root fs")

    @pytest.mark.parametrize(
        "printed", [b"", subprocess.TimeoutExpired("qemu", 20), FileNotFoundError("qemu")], ids=repr
    )
    def test_whatever_else_happens_means_emulation(
        self, monkeypatch: pytest.MonkeyPatch, printed: bytes | Exception
    ) -> None:
        assert not self.trial(monkeypatch, printed)

    def test_without_a_kernel_to_try_it_is_emulation(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(acceleration, "DRIVER", tmp_path / "driver")
        assert acceleration.driver(None) == "qemu"

    def test_it_is_tried_once(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        tried: list[Path] = []

        def fail(kernel: Path) -> bool:
            tried.append(kernel)
            return False

        monkeypatch.setattr(acceleration, "DRIVER", tmp_path / "state" / "driver")
        monkeypatch.setattr(acceleration, "boots_under_kvm", fail)
        assert [acceleration.driver(Path("vmlinuz")) for _ in range(2)] == ["qemu", "qemu"]
        assert len(tried) == 1
