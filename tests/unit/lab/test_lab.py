"""The lab's decisions: what it would write and run, without running anything."""

import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from lab import (
    access,
    bases,
    certificates,
    cgroups,
    containers,
    dns,
    forwarding,
    furnishing,
    mounts,
    network,
    process,
)
from lab.paths import SSH_SOCKETS
from lab.roles import directory, outside
from lab.topology import (
    GATEWAY_IPV4,
    GATEWAY_IPV6,
    HOSTS,
    IPV4,
    IPV6,
    MAIL_EXCHANGERS,
    RELAYS,
    USERS,
    Host,
    host_named,
    user_named,
)

INTERFACE_NAME_LENGTH = 15  # bytes: IFNAMSIZ less its final zero

every_host = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.short)


class TestTopology:
    def test_no_two_hosts_share_a_name_or_an_address(self) -> None:
        for names in ([host.short for host in HOSTS], [host.name for host in HOSTS]):
            assert len(set(names)) == len(HOSTS)
        addresses = {GATEWAY_IPV4, GATEWAY_IPV6} | {a for host in HOSTS for a in (host.ipv4, host.ipv6)}
        assert len(addresses) == 2 + 2 * len(HOSTS)

    @every_host
    def test_addresses_lie_within_the_private_networks(self, host: Host) -> None:
        assert ip_address(host.ipv4) in IPV4
        assert ip_address(host.ipv6) in IPV6
        assert IPV4.is_private
        assert IPV6.is_private

    @every_host
    def test_the_bridge_port_of_a_host_has_a_name_that_fits(self, host: Host) -> None:
        machine = next(
            word.partition("=")[2]
            for word in containers.nspawn_command(host, Path("/root"))
            if word.startswith("--machine=")
        )
        assert len(f"vb-{machine}") <= INTERFACE_NAME_LENGTH

    def test_another_lab_has_nothing_that_the_first_would_lose_to_it(self) -> None:
        look = (
            "from lab import cgroups, containers, network, paths, topology\n"
            "words = containers.nspawn_command(topology.HOSTS[2], paths.STATE)\n"
            "machine = next(word for word in words if word.startswith('--machine='))\n"
            "networks = topology.IPV4, topology.IPV6\n"
            "names = network.BRIDGE, network.TABLE, network.HOLDER, cgroups.TOP\n"
            "print(paths.STATE, machine, *names, *networks, sep='\\n')"
        )

        def own(lab: str) -> list[str]:
            done = subprocess.run(
                [sys.executable, "-c", look],
                env={"QUIETRELAY_LAB": lab},
                cwd=Path(__file__).parents[3],
                check=True,
                capture_output=True,
                text=True,
            )
            return done.stdout.splitlines()

        first, second = own("1"), own("2")
        assert len(first) == 8
        assert set(first) & set(second) == set()
        assert len(f"vb-{second[1].removeprefix('--machine=')}") <= INTERFACE_NAME_LENGTH

    def test_both_supported_releases_have_a_relay(self) -> None:
        assert {host.release for host in RELAYS} == {"bookworm", "trixie"}

    def test_a_host_goes_by_its_full_and_its_short_name(self) -> None:
        assert host_named("mx") is host_named("mx.outside.test")

    def test_an_unknown_host_is_an_error_that_names_the_known_ones(self) -> None:
        with pytest.raises(KeyError, match=r"nowhere.*laptop\.home\.test"):
            host_named("nowhere")


class TestPasswords:
    """Each awkward password has to keep what makes it awkward."""

    def test_long_has_100_characters(self) -> None:
        assert len(user_named("long").password) == 100

    def test_blanks_are_where_they_are_said_to_be(self) -> None:
        assert user_named("leading").password.lstrip() != user_named("leading").password
        assert user_named("trailing").password.rstrip() != user_named("trailing").password
        assert " " in user_named("inner").password.strip()

    @pytest.mark.parametrize(
        ("uid", "characters"),
        [
            ("quotes", "'\""),
            ("backslash", "\\"),
            ("hash", "#"),
            ("percent", "%"),
            ("shell", "$`"),
            ("unicode", "üп🔑"),
        ],
    )
    def test_special_characters_are_there(self, uid: str, characters: str) -> None:
        assert set(characters) <= set(user_named(uid).password)

    def test_saslauthd_can_hold_every_password(self) -> None:
        assert all(len(user.password.encode()) <= 127 for user in USERS)

    def test_a_password_is_stored_as_slapd_reads_it(self) -> None:
        stored = "{SSHA}oGiMmSsiD7UkKZ4ea33NqDf1g1xVChMv"  # by slappasswd -h '{SSHA}' -s secret
        salt = b64decode(stored.removeprefix("{SSHA}"))[20:]  # stands behind the digest
        assert directory.ssha("secret", salt) == stored


class TestDirectory:
    def test_every_user_has_an_entry(self) -> None:
        ldif = directory.people_ldif(USERS)
        assert all(f"\ndn: {user.dn}\n" in ldif and f"\nmail: {user.mail}\n" in ldif for user in USERS)

    def test_no_password_is_in_the_clear(self) -> None:
        ldif = directory.people_ldif(USERS)
        assert not any(user.password in ldif for user in USERS)

    def test_content_does_not_differ_between_two_starts(self) -> None:
        assert directory.people_ldif(USERS) == directory.people_ldif(USERS)


class TestNames:
    config = dns.dnsmasq_config(HOSTS, MAIL_EXCHANGERS).splitlines()

    @every_host
    def test_every_host_has_both_addresses(self, host: Host) -> None:
        assert f"host-record={host.name},{host.ipv4},{host.ipv6}" in self.config

    def test_mail_domains_lead_to_hosts_of_the_lab(self) -> None:
        exchangers = {line.split("=")[1] for line in self.config if line.startswith("mx-host=")}
        assert exchangers == {"relay.test,bookworm.relay.test,10", "outside.test,mx.outside.test,10"}
        assert all(host_named(exchanger) for exchanger in MAIL_EXCHANGERS.values())

    def test_questions_about_the_lab_stay_in_the_lab(self) -> None:
        assert "local=/test/" in self.config
        assert f"interface={network.BRIDGE}" in self.config


class TestAccess:
    def test_every_host_is_reached_by_address_under_its_full_name(self) -> None:
        config = access.ssh_config(HOSTS)
        assert all(f"Host {host.name}\n    HostName {host.ipv4}\n" in config for host in HOSTS)

    def test_an_unknown_host_key_is_never_accepted(self) -> None:
        assert "StrictHostKeyChecking yes\n" in access.ssh_config(HOSTS)

    def test_settings_for_all_hosts_come_last(self) -> None:
        # The first value that ssh finds counts (ssh_config(5)).
        assert access.ssh_config(HOSTS).rindex("Host ") == access.ssh_config(HOSTS).index("Host *\n")

    @every_host
    def test_a_host_key_is_known_under_name_and_addresses(self, host: Host) -> None:
        line = access.known_hosts({host: "ssh-ed25519 AAAA comment\n"})
        assert line == f"{host.name},{host.ipv4},{host.ipv6} ssh-ed25519 AAAA comment\n"

    @every_host
    def test_the_path_of_a_shared_connection_fits_a_socket(self, host: Host) -> None:
        # sun_path has 108 bytes (unix(7)); ssh appends 17 while it makes the socket.
        assert len(str(SSH_SOCKETS / f"operator@{host.ipv4}")) + 17 < 108


class TestCertificates:
    authority = certificates.new_authority()

    def test_a_certificate_is_for_its_name_and_addresses_and_signed_by_the_authority(self) -> None:
        issued = certificates.issue(self.authority, "a.test", "192.0.2.1", "2001:db8::1")
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
        certificate.verify_directly_issued_by(
            x509.load_pem_x509_certificate(self.authority.certificate.encode())
        )
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["a.test"]
        assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [
            "192.0.2.1",
            "2001:db8::1",
        ]
        assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)

    def test_a_negative_lifetime_gives_an_expired_certificate(self) -> None:
        issued = certificates.issue(self.authority, "a.test", lifetime=timedelta(days=-2))
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
        assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
        assert certificate.not_valid_after_utc < datetime.now(UTC)


class TestControlGroups:
    def test_a_hybrid_machine_has_both_hierarchies(self) -> None:
        found = cgroups.hierarchies(
            "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
            "cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0\n"
            "cgroup /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
        )
        assert found == (Path("/sys/fs/cgroup/unified"), [Path("/sys/fs/cgroup/systemd")])

    def test_a_unified_machine_has_one(self) -> None:
        assert cgroups.hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n") == (Path("/sys/fs/cgroup"), [])

    def test_a_machine_without_cgroup2_is_refused_with_a_remedy(self) -> None:
        with pytest.raises(process.LabError, match="mount -t cgroup2"):
            cgroups.hierarchies("cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n")


class TestMachine:
    def test_only_settings_that_differ_are_changed_and_so_put_back(self) -> None:
        instances = "fs/inotify/max_user_instances"
        assert network.wanted_sysctls({instances: "8192"}) == {}
        assert network.wanted_sysctls({instances: "128"}) == {instances: "1024"}

    @pytest.mark.parametrize("before", ["0", "1"])
    def test_forwarding_is_on_while_anybody_needs_it_and_then_as_it_was(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str
    ) -> None:
        monkeypatch.setattr(forwarding, "HELD", tmp_path / "held")
        monkeypatch.setattr(forwarding, "SWITCH", tmp_path / "switch")
        (tmp_path / "switch").write_text(f"{before}\n")
        seen = []
        for act, holder in (
            (forwarding.release, "machines"),  # who never held it
            (forwarding.hold, "containers"),
            (forwarding.hold, "containers"),
            (forwarding.hold, "machines"),
            (forwarding.release, "containers"),  # who came first
            (forwarding.release, "machines"),
        ):
            act(holder)
            seen.append((tmp_path / "switch").read_text().strip())
        assert seen == [before, "1", "1", "1", "1", before]
        assert not (tmp_path / "held").exists()

    def test_mail_between_hosts_keeps_its_source_address(self) -> None:
        assert f"ip saddr {IPV4} ip daddr != {IPV4} masquerade" in network.RULES

    def test_inner_mounts_are_unmounted_first_and_neighbours_stay(self) -> None:
        mountinfo = "".join(
            f"1 1 0:1 / {point} rw - overlay x rw\n" for point in ("/a", "/a/b", "/ab", "/a/b/c")
        )
        assert mounts.mounted_below(Path("/a"), mountinfo) == [Path("/a/b/c"), Path("/a/b"), Path("/a")]

    def test_a_failed_command_is_named_with_its_status_and_last_words(self) -> None:
        with pytest.raises(process.LabError, match=r"`sh -c .*` exited 3: first \| second"):
            process.run(["sh", "-c", "printf 'first\nsecond\n' >&2; exit 3"], launcher=["env"])

    def test_a_missing_command_is_named(self) -> None:
        with pytest.raises(process.LabError, match="no-such-command is not installed"):
            process.run(["no-such-command"])


class TestBuilding:
    def test_a_base_is_named_after_what_goes_into_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = bases.base_path("bookworm")
        assert before != bases.base_path("trixie")
        monkeypatch.setattr(bases, "PREPARE", bases.PREPARE + "true\n")
        assert bases.base_path("bookworm") != before

    def test_a_layer_is_another_one_on_another_base(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = bases.layer_path("outside", "bookworm", ["postfix"])
        assert bases.layer_path("outside", "bookworm", ["postfix", "more"]) != before
        monkeypatch.setattr(bases, "PREPARE", bases.PREPARE + "true\n")
        assert bases.layer_path("outside", "bookworm", ["postfix"]) != before

    def test_nothing_that_the_deploy_installs_is_in_a_base_but_what_debian_has_anyway(self) -> None:
        assert set(bases.SYSTEM.split(",")) & set(bases.DEPLOY.split()) == set()

    def test_a_host_made_from_other_files_is_told_apart(self) -> None:
        file = furnishing.File("/etc/hostname", "a\n")
        same = furnishing.fingerprint([], [file], "")
        assert furnishing.fingerprint([], [file], "") == same
        assert furnishing.fingerprint([], [file._replace(mode=0o600)], "") != same

    def test_files_are_written_with_their_modes_and_never_through_a_link(self, tmp_path: Path) -> None:
        outsider = tmp_path / "outsider"
        outsider.write_text("untouched")
        root = tmp_path / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/secret").symlink_to(outsider)
        furnishing.write(root, [furnishing.File("/etc/secret", "new", 0o600)])
        assert outsider.read_text() == "untouched"
        assert (root / "etc/secret").read_text() == "new"
        assert (root / "etc/secret").stat().st_mode & 0o777 == 0o600

    @every_host
    def test_a_host_has_its_own_addresses_and_full_name(self, host: Host) -> None:
        assert f"Address={host.ipv6}/64\n" in furnishing.network_file(host)
        assert f"{host.ipv4} {host.name} {host.short}\n" in furnishing.hosts_file(host)

    def test_the_outside_server_changes_nothing_in_a_message(self) -> None:
        settings = outside.main_cf(host_named("mx")).splitlines()
        assert "local_header_rewrite_clients =" in settings
        assert "message_drop_headers =" in settings
