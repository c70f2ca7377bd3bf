"""The VMs' decisions: furnishing, names, and what is refused, without booting anything."""

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from pyinfra.api.exceptions import InventoryError

from lab.process import LabError
from lab.topology import HOSTS as CONTAINERS
from lab.vms import __main__ as command_line
from lab.vms import daemons, furnishing, hosts, machines, vagrant_cli
from lab.vms.topology import HOSTS, IPV4, MACHINES, NAT_IPV4, WORLD, Machine, machine_named

every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
relay_machine = pytest.mark.parametrize(
    "machine", [machine for machine in MACHINES if machine.is_relay], ids=lambda machine: machine.name
)


class TestTopology:
    def test_the_hosts_are_those_of_the_containers_on_another_network(self) -> None:
        assert [host.name for host in HOSTS] == [host.name for host in CONTAINERS]
        assert not {host.ipv4 for host in HOSTS} & {host.ipv4 for host in CONTAINERS}
        assert not {host.ipv6 for host in HOSTS} & {host.ipv6 for host in CONTAINERS}

    def test_every_host_is_on_one_machine(self) -> None:
        placed = [host for machine in MACHINES for host in machine.hosts]
        assert sorted(host.name for host in placed) == sorted(host.name for host in HOSTS)

    def test_networks_and_hardware_addresses_differ(self) -> None:
        assert not IPV4.overlaps(NAT_IPV4)
        assert len({machine.mac for machine in MACHINES}) == len(MACHINES)

    def test_a_machine_goes_by_the_names_of_its_hosts(self) -> None:
        assert machine_named("laptop.home.test") is machine_named("mx") is WORLD

    def test_an_unknown_machine_is_an_error_that_names_the_known_ones(self) -> None:
        with pytest.raises(KeyError, match=r"nowhere.*world"):
            machine_named("nowhere")


class TestFurnishing:
    @every_machine
    def test_a_machine_tells_its_interface_by_its_hardware_address(self, machine: Machine) -> None:
        text = furnishing.network_file(machine)
        assert f"MACAddress={machine.mac}\n" in text
        own = [host for host in machine.hosts if host.role != "client"]
        assert all(
            f"Address={host.ipv4}/24\n" in text and f"Address={host.ipv6}/64\n" in text for host in own
        )

    def test_the_laptop_has_its_address_in_its_own_network_only(self) -> None:
        laptop = next(host for host in HOSTS if host.role == "client")
        assert laptop.ipv4 not in furnishing.network_file(WORLD)
        assert f"address add {laptop.ipv4}/24" in furnishing.laptop_script()

    @every_machine
    def test_the_archive_holds_script_and_files_and_no_secret_for_all(
        self, machine: Machine, tmp_path: Path
    ) -> None:
        with tarfile.open(fileobj=io.BytesIO(furnishing.archive(machine, tmp_path))) as tar:
            modes = {f"/{member.name}": member.mode for member in tar}
            open_to_all = [member for member in tar if member.mode & 0o077]
            assert not any(b"PRIVATE KEY" in tar.extractfile(member).read() for member in open_to_all)  # type: ignore[union-attr]
        assert modes[furnishing.SCRIPT] == 0o600
        assert "/etc/hosts" in modes

    @relay_machine
    def test_a_relay_asks_the_lab_for_names(self, machine: Machine, tmp_path: Path) -> None:
        files = {file.path: file.text for file in furnishing.files(machine, tmp_path)}
        assert files["/etc/resolv.conf"] == f"nameserver {furnishing.DIRECTORY.ipv4}\n"

    @every_machine
    def test_a_machine_made_from_something_else_is_told_apart(self, machine: Machine) -> None:
        assert "one" in furnishing.script(machine, "one")
        assert furnishing.script(machine, "one") != furnishing.script(machine, "two")


SETTINGS = {"HostName": "127.0.0.1", "Port": "2200", "User": "vagrant", "IdentityFile": "/key"}


class TestHosts:
    def test_hosts_are_reached_as_vagrant_said(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        noted = tmp_path / "ssh.json"
        noted.write_text(json.dumps({"bookworm": SETTINGS, "world": SETTINGS}))
        monkeypatch.setattr(hosts, "SSH_SETTINGS", noted)
        by_role = {host.role: hosts.ssh(host) for host in HOSTS if host.name != "trixie.relay.test"}
        assert by_role["relay"]["ssh_port"] == 2200
        assert by_role["client"]["ssh_hostname"] == "192.168.61.41"
        with pytest.raises(InventoryError, match="trixie is not up; start it: vagrant up trixie"):
            hosts.ssh(next(host for host in HOSTS if host.short == "trixie"))

    def test_without_machines_the_inventory_says_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(hosts, "SSH_SETTINGS", tmp_path / "ssh.json")
        with pytest.raises(InventoryError, match="not up; start them: vagrant up"):
            hosts.ssh(HOSTS[0])


class TestBadInput:
    """Each ends with one clear line, before anything was started."""

    @pytest.fixture(autouse=True)
    def there(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """Let these commands be there."""
        commands = {"vagrant", "virsh", "VBoxManage"}
        monkeypatch.setattr(vagrant_cli.shutil, "which", lambda name: name if name in commands else None)
        plugin = type("Plugin", (), {"name": "vagrant-libvirt"})
        monkeypatch.setattr(vagrant_cli.Vagrant, "plugin_list", lambda self: [plugin])
        monkeypatch.setattr(vagrant_cli, "_available_memory", lambda: 100_000)
        return commands

    @pytest.mark.parametrize("command", ["vagrant", "virsh"])
    def test_a_missing_command(self, there: set[str], command: str) -> None:
        there.remove(command)
        with pytest.raises(
            LabError, match=f"{'libvirt' if command == 'virsh' else 'vagrant'} is not installed"
        ):
            vagrant_cli.check("libvirt")

    def test_an_unknown_provider(self) -> None:
        with pytest.raises(LabError, match="no provider 'hyperv': there are libvirt and virtualbox"):
            vagrant_cli.check("hyperv")

    def test_a_missing_plugin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vagrant_cli.Vagrant, "plugin_list", lambda self: [])
        with pytest.raises(LabError, match="apt-get install vagrant-libvirt"):
            vagrant_cli.check("libvirt")

    def test_too_little_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vagrant_cli, "_available_memory", lambda: 2000)
        with pytest.raises(LabError, match="3 machines of 1024 MB need 5888 MB of memory, and 2000 are free"):
            vagrant_cli.check_memory()

    def test_all_is_well(self) -> None:
        vagrant_cli.check("libvirt")
        vagrant_cli.check("virtualbox")
        vagrant_cli.check_memory()

    def test_a_command_of_vagrants_that_hangs_is_ended(self) -> None:
        command = vagrant_cli.Vagrant()._make_vagrant_command(["up", None])
        assert command[:3] == ["timeout", "--kill-after=10", "600"]
        assert command[-1] == "up"

    def test_what_vagrant_said_last_is_the_error(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(vagrant_cli, "VAGRANT_LOG", tmp_path / "log")
        (tmp_path / "log").write_text("noise\n" * 20 + "Timed out while waiting for the machine to boot.\n")
        with pytest.raises(LabError, match=r"`vagrant up` failed.*Timed out"), vagrant_cli.explained("up"):
            raise subprocess.CalledProcessError(1, "vagrant")


class TestCommandLine:
    def test_vagrantfile_is_told_all_that_it_asks_for(self) -> None:
        vagrantfile = (Path(__file__).parents[3] / "Vagrantfile").read_text()
        described = command_line.describe()
        assert all(f'["{name}"]' in vagrantfile for name in described)

    def test_published_boxes_take_the_place_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QUIETRELAY_BOX", "debian/{release}64")
        boxes_named = [command_line.described(machine)["box"] for machine in MACHINES]
        assert boxes_named == ["debian/bookworm64", "debian/trixie64", "debian/bookworm64"]
        assert all("url" not in command_line.described(machine) for machine in MACHINES)

    def test_an_error_is_one_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def refuse(provider: str) -> None:
            raise LabError("vagrant is not installed")

        monkeypatch.setattr(vagrant_cli, "check", refuse)
        assert command_line.main(["up"]) == 1
        assert capsys.readouterr().err == "lab.vms: vagrant is not installed\n"


class TestDaemons:
    def test_a_number_that_is_somebody_elses_by_now_is_left_alone(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(daemons, "DAEMONS", tmp_path)
        (tmp_path / "libvirtd.pid").write_text("1")
        monkeypatch.setattr(daemons.os, "kill", lambda *_: pytest.fail("killed a stranger"))
        daemons._end("libvirtd")

    def test_restarts_go_by_machine(self) -> None:
        assert machines.ssh_command(SETTINGS, "true")[-2:] == ["vagrant@127.0.0.1", "true"]
