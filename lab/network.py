"""The bridge that joins the hosts, and their way out to the machine's package sources.

Hosts see each other's own addresses. Only IPv4 leaves the bridge, masqueraded: packages come that way, and
forwarding IPv6 would make the machine ignore router advertisements (ip-sysctl, accept_ra).
"""

from __future__ import annotations

import json
from pathlib import Path

from lab import forwarding
from lab.process import run
from lab.topology import GATEWAY_IPV4, GATEWAY_IPV6, IPV4, IPV6, LAB, LAB_SUFFIX, MTU

BRIDGE = f"qr-lab{LAB - 1}"
TABLE = f"quietrelay_lab{LAB_SUFFIX.replace('-', '_')}"
HOLDER = f"containers{LAB_SUFFIX}"  # of IPv4 forwarding

# The table is added before it is deleted so that deleting cannot fail; nft(8) applies a file as one step.
RULES = f"""\
add table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat
        ip saddr {IPV4} ip daddr != {IPV4} masquerade
    }}
    chain forward {{
        type filter hook forward priority filter
        iifname != "{BRIDGE}" oifname "{BRIDGE}" ct state != {{ established, related }} drop
    }}
}}
"""

SYSCTLS = ("fs/inotify/max_user_instances",)
# What they were before the first lab. After a boot they are the machine's own again, and /run is empty.
BEFORE = Path("/run/quietrelay-lab-sysctls.json")
INOTIFY_INSTANCES = 1024  # each systemd takes several of root's, and the kernel's 128 end with the 22nd host


def wanted_sysctls(current: dict[str, str]) -> dict[str, str]:
    """The kernel settings to change, of those that the lab depends on.

    + current: name, as a path below /proc/sys, to value
    """
    wanted = {}
    if int(current["fs/inotify/max_user_instances"]) < INOTIFY_INSTANCES:
        wanted["fs/inotify/max_user_instances"] = str(INOTIFY_INSTANCES)
    return wanted


def ensure() -> None:
    """Bring the network up, or complete it."""
    _set_sysctls()
    forwarding.hold(HOLDER)
    if not is_there():
        # Spanning tree and multicast snooping would delay the first packets of a host.
        run(
            [
                "ip",
                "link",
                "add",
                BRIDGE,
                "mtu",
                str(MTU),
                "type",
                "bridge",
                "stp_state",
                "0",
                "mcast_snooping",
                "0",
            ]
        )
    run(["ip", "address", "replace", f"{GATEWAY_IPV4}/{IPV4.prefixlen}", "dev", BRIDGE])
    run(["ip", "address", "replace", f"{GATEWAY_IPV6}/{IPV6.prefixlen}", "dev", BRIDGE, "nodad"])
    run(["ip", "link", "set", BRIDGE, "up"])
    run(["nft", "-f", "-"], stdin=RULES)


def remove() -> None:
    """Take down whatever part of the network is there, and put kernel settings back."""
    run(["nft", "-f", "-"], stdin=f"add table inet {TABLE}\ndelete table inet {TABLE}\n")
    if is_there():
        run(["ip", "link", "delete", BRIDGE])
    forwarding.release(HOLDER)
    if not any(Path("/sys/class/net").glob("qr-lab*")):  # no other lab is there
        _restore_sysctls()


def is_there() -> bool:
    """Whether the bridge is there."""
    return Path("/sys/class/net", BRIDGE).exists()


def _set_sysctls() -> None:
    current = {name: _sysctl(name).read_text().strip() for name in SYSCTLS}
    wanted = wanted_sysctls(current)
    if wanted and not BEFORE.exists():
        partial = BEFORE.with_suffix(".partial")
        partial.write_text(json.dumps({name: current[name] for name in wanted}))
        partial.rename(BEFORE)
    for name, value in wanted.items():
        _sysctl(name).write_text(value)


def _restore_sysctls() -> None:
    if BEFORE.exists():
        for name, value in json.loads(BEFORE.read_text()).items():
            _sysctl(name).write_text(value)
        BEFORE.unlink()


def _sysctl(name: str) -> Path:
    return Path("/proc/sys", name)
