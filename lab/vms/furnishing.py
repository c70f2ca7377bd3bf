"""What makes a bare machine one of the lab: its names, addresses and, for the world, its services.

It is decided here and carried out in one command on the machine, since each costs much under emulation: files
come as a tar archive on standard input, passwords and keys included, and one of them is the script to run.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from lab import dns, furnishing
from lab.furnishing import File, hosts_file
from lab.roles import ROLES
from lab.topology import MAIL_EXCHANGERS
from lab.vms import boxes
from lab.vms.topology import HOSTS, IPV4, IPV6, MTU, WORLD, Machine, host_of

SCRIPT = "/var/lib/quietrelay-lab/furnish"
MARK = "/var/lib/quietrelay-lab/furnished-as"
UPSTREAM = "/var/lib/quietrelay-lab/upstream"  # name servers that the machine had before
CLIENT = host_of("client")
DIRECTORY = host_of("directory")

# Written to standard input of this, as a user who may become root.
COMMAND = f"sudo sh -ec 'tar -x -C / --unlink-first && sh -e {SCRIPT}'"

# A machine is furnished once. What it was made from cannot be changed under its feet.
ONCE = f"""
if [ -e {MARK} ]; then
    if [ "$(cat {MARK})" != "{{mark}}" ]; then
        echo "this machine was made by another version of the lab: vagrant destroy" >&2; exit 1
    fi
    cat /etc/ssh/ssh_host_*_key.pub; exit
fi
"""

COMMON = """
hostname -F /etc/hostname
install -d -m 0700 /root/.ssh
install -m 0600 "$(getent passwd "$SUDO_USER" | cut -d: -f6)/.ssh/authorized_keys" /root/.ssh/
systemctl is-active --quiet systemd-networkd || systemctl --quiet enable --now systemd-networkd
networkctl reload
systemctl try-reload-or-restart ssh
"""

# Services of the world's roles: those that packages have started with their own settings, and ours.
PACKAGED = ("slapd", "dovecot", "postfix")
ADDED = ("slapd-second", "lab-dns", "laptop")
# Those that relays wait for, while they send a thousand messages to Postfix beside them.
PROMPT = ("slapd", "slapd-second", "dovecot", "lab-dns")

# The machine's own name servers are asked for the rest of the world: packages have to come from somewhere.
SERVICES = f"""
export DEBIAN_FRONTEND=noninteractive
if ! dpkg-query -W {{packages}} >/dev/null 2>&1; then
    apt-get -qq update >&2
    apt-get -qq -o Dpkg::Options::=--force-confold install --yes --no-install-recommends {{packages}} >&2
fi
{{{{ sed -n 's/^nameserver //p' /etc/resolv.conf; sed -n 's/^DNS=//p' /run/systemd/netif/state; }}}} |
    tr ' ' '\\n' | sed -n 's/^[0-9.]*$/nameserver &/p' > {UPSTREAM}
systemctl stop {" ".join(PACKAGED)}
"""
# Afterwards the machine asks itself, as everybody does.
START = f"""
rm /etc/resolv.conf
echo nameserver {DIRECTORY.ipv4} > /etc/resolv.conf
systemctl --quiet enable {" ".join(ADDED)}
systemctl start {" ".join([*PACKAGED, *ADDED])}
"""

FINISH = f"""
rm {SCRIPT}
echo {{mark}} > {MARK}
cat /etc/ssh/ssh_host_*_key.pub
"""

# Where a DHCP client keeps /etc/resolv.conf, it is to leave it alone (dhclient-script(8)).
DHCLIENT_HOOK = File("/etc/dhcp/dhclient-enter-hooks.d/lab", "make_resolv_conf() { :; }\n")
SSHD = File("/etc/ssh/sshd_config.d/lab.conf", "MaxSessions 100\n")  # tests keep many in one connection


def archive(machine: Machine, state: Path) -> bytes:
    """All that a machine needs, as a tar archive for COMMAND.

    + state: directory with the lab's certificates
    """
    chosen = files(machine, state)
    mark = furnishing.fingerprint([], chosen, script(machine, ""))
    entries = [*chosen, File(SCRIPT, script(machine, mark), 0o600)]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for file in entries:
            content = file.text.encode()
            info = tarfile.TarInfo(file.path.lstrip("/"))
            info.size, info.mode = len(content), file.mode
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def script(machine: Machine, mark: str) -> str:
    """What is run on the machine once its files are there. It prints the machine's public SSH keys."""
    once, finish = ONCE.format(mark=mark), FINISH.format(mark=mark)
    if machine.is_relay:
        return once + COMMON + finish
    services = SERVICES.format(packages=" ".join(boxes.packages(machine)))
    setups = "".join(ROLES[host.role].setup for host in machine.hosts)
    return once + services + setups + COMMON + START + finish


def files(machine: Machine, state: Path) -> list[File]:
    """The files of a machine."""
    common = [
        File("/etc/hostname", f"{machine.name}\n"),
        File("/etc/systemd/network/10-lab.network", network_file(machine)),
        DHCLIENT_HOOK,
        SSHD,
    ]
    if machine.is_relay:
        (host,) = machine.hosts
        resolver = File("/etc/resolv.conf", f"nameserver {DIRECTORY.ipv4}\n")
        return [*common, File("/etc/hosts", hosts_file(host)), resolver]
    roles = [file for host in machine.hosts for file in ROLES[host.role].files(host, state)]
    return [*common, File("/etc/hosts", all_hosts_file(machine)), *roles, *DNS_FILES, *LAPTOP_FILES, *WEIGHTS]


def all_hosts_file(machine: Machine) -> str:
    """/etc/hosts with the whole lab: the laptop cannot ask the name server, which shares its interface."""
    lines = [f"127.0.0.1 localhost {machine.name}", "::1 localhost"]
    lines += [f"{address} {host.name} {host.short}" for host in HOSTS for address in (host.ipv4, host.ipv6)]
    return "\n".join(lines) + "\n"


def network_file(machine: Machine) -> str:
    """The machine's addresses in the lab, see systemd.network(5). Its way out is another interface."""
    addresses = [
        f"\n[Address]\nAddress={address}\nDuplicateAddressDetection=none\n"
        for host in machine.hosts
        if host is not CLIENT
        for address in (f"{host.ipv4}/{IPV4.prefixlen}", f"{host.ipv6}/{IPV6.prefixlen}")
    ]
    head = f"""\
[Match]
MACAddress={machine.mac}

[Link]
MTUBytes={MTU}

[Network]
IPv6AcceptRA=no
"""
    return head + "".join(addresses)


def laptop_script() -> str:
    """Gives the laptop a network, a name and an SSH server of its own, on the world's machine.

    The interface is an ipvlan, since VirtualBox lets a machine have no second hardware address.
    """
    return f"""\
#!/bin/sh -e
interface=$(ip -oneline link | sed -n 's/^[0-9]*: \\([^:]*\\):.* {WORLD.mac} .*/\\1/p')
ip netns delete laptop 2>/dev/null || true
ip netns add laptop
ip link add link "$interface" name home0 netns laptop type ipvlan mode l2
ip -n laptop address add {CLIENT.ipv4}/{IPV4.prefixlen} dev home0
ip -n laptop address add {CLIENT.ipv6}/{IPV6.prefixlen} dev home0 nodad
ip -n laptop link set home0 mtu {MTU} up
ip -n laptop link set lo up
hostname='{CLIENT.short}'
exec ip netns exec laptop unshare --uts sh -c "hostname $hostname; exec /usr/sbin/sshd -D -o PidFile=none"
"""


def unit(description: str, command: str, after: Sequence[str]) -> str:
    """A service, see systemd.service(5), that is tried again until what it needs is there."""
    return f"""\
[Unit]
Description={description}
After={" ".join(after)}
StartLimitIntervalSec=0
[Service]
ExecStart={command}
Restart=on-failure
RestartSec=1
[Install]
WantedBy=multi-user.target
"""


DNS_CONFIG = f"""\
listen-address={DIRECTORY.ipv4}
bind-dynamic
resolv-file={UPSTREAM}
{dns.names(HOSTS, MAIL_EXCHANGERS)}"""
DNS_FILES = (
    File("/etc/lab-dnsmasq.conf", DNS_CONFIG),
    File(
        "/etc/systemd/system/lab-dns.service",
        unit(
            "The lab's names",
            "/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/etc/lab-dnsmasq.conf",
            ("network.target",),
        ),
    ),
)
LAPTOP_FILES = (
    File("/usr/local/sbin/laptop", laptop_script(), 0o755),
    File(
        "/etc/systemd/system/laptop.service",
        unit("A user's laptop", "/usr/local/sbin/laptop", ("network.target", "ssh.service")),
    ),
)
# With one processor for all, a directory that has to wait its turn is one that timed out.
WEIGHTS = [
    File(f"/etc/systemd/system/{service}.service.d/weight.conf", "[Service]\nCPUWeight=1000\n")
    for service in PROMPT
]
