"""Where a host's firewall drops mail that clients bring, now and after the next boot."""

import re
from collections.abc import Iterable
from typing import TypedDict

from pyinfra.api import FactBase
from typing_extensions import override

from tasks.firewall.iptables import ruleset
from tasks.firewall.nft_ruleset import MARK, PORTS, By, Closed, Ruleset, worst
from tasks.host.templates import program

IPTABLES = (
    ("ip", "ip", "filter"),
    ("ip6", "ip6", "filter"),
    ("legacy_ip", "ip", "filter (iptables-legacy)"),
    ("legacy_ip6", "ip6", "filter (iptables-legacy)"),
)
"""Section of what the host says, its family, and what its filter table is called."""


class FirewallSays(TypedDict):
    """A host's firewalls, as far as they decide over mail that comes in."""

    ufw: By | None
    """What drops mail in ufw; None where nothing does, or ufw does not run."""
    ufw_ours: bool
    """Whether ufw has our rule."""
    closed: list[Closed]
    """Loaded chains that drop mail, and that nftables.service loads at boot too."""
    foreign: list[Closed]
    """Loaded chains that drop mail, and come neither from ufw nor from nftables.service."""
    ours: list[str]
    """Our loaded rules, as ``nft delete rule`` takes them."""
    conf: str
    """The file that nftables.service loads at boot; empty where that service is not in use."""
    broken: str
    """Why nft cannot load that file; empty where it can."""
    boot_closed: list[Closed]
    """Chains that will drop mail after a boot."""
    boot_needs: list[Closed]
    """Chains that would drop mail after a boot if it were not for our rules."""


class Firewall(FactBase[FirewallSays]):
    """Ask ufw, nftables and iptables what becomes of mail, in one remote command that changes nothing."""

    @override
    def command(self) -> str:
        return program("firewall.sh")

    @override
    def process(self, output: Iterable[str]) -> FirewallSays:
        sections: dict[str, list[str]] = {}
        section: list[str] = []
        for line in output:
            if re.fullmatch(r"\[\w+\]", line):
                section = sections.setdefault(line[1:-1], [])
            else:
                section.append(line)
        uplink = next(iter(sections["uplink"]), "")
        ufw = sections.get("ufw", [])
        boot_text = "\n".join(sections.get("boot", []))
        loads = boot_text.startswith("{")
        iptables = [
            part
            for section, family, table in IPTABLES
            for part in ruleset(sections.get(section, []), family, table)
        ]
        live = Ruleset("\n".join(sections.get("live", [])), iptables=iptables)
        boot = Ruleset(boot_text if loads else "")
        closed = live.closed(uplink)
        return {
            "ufw": ufw_drops(ufw, uplink),
            "ufw_ours": any(line.endswith(f"# {MARK}") for line in ufw),
            "closed": [chain for chain in closed if boot.declares(chain)],
            "foreign": [chain for chain in closed if not boot.declares(chain)],
            "ours": live.ours(),
            "conf": "".join(sections.get("conf", [])),
            "broken": "" if loads else boot_text.partition("\n")[0],
            "boot_closed": boot.closed(uplink),
            "boot_needs": Ruleset(boot_text if loads else "", but=MARK).closed(uplink),
        }


UFW_RULE = re.compile(
    r"(?P<ports>Anywhere|[\d,:]+)(?:/tcp)?(?: \(.*\))?(?: on (?P<interface>\S+))?"
    r" +(?P<action>ALLOW|LIMIT|DENY|REJECT) IN +Anywhere(?P<v6> \(v6\))?(?: +\(log[^)]*\))?(?: +# .*)?"
)
"""A rule for clients from everywhere, as ``ufw status verbose`` prints it."""


def ufw_drops(status: list[str], uplink: str) -> By | None:
    """Find what drops mail in ufw, from ``ufw status verbose``: the first rule that fits counts."""
    if "Status: active" not in status:
        return None
    default: By | None = (
        None if any(line.startswith("Default: allow (incoming)") for line in status) else "policy"
    )
    rules = [rule for line in status if (rule := UFW_RULE.fullmatch(line.rstrip()))]
    rules = [rule for rule in rules if rule["interface"] in (None, uplink)]
    fates: list[By | None] = []
    for v6 in (False, True) if "IPv6: yes" in status else (False,):
        for port in PORTS:
            rule = next(
                (rule for rule in rules if bool(rule["v6"]) == v6 and _covers(rule["ports"], port)), None
            )
            fates.append(("rule" if rule["action"] in ("DENY", "REJECT") else None) if rule else default)
    return worst(fates)


def _covers(ports: str, port: int) -> bool:
    ranges = [part.partition(":") for part in ports.split(",") if ports != "Anywhere"]
    return not ranges or any(int(low) <= port <= int(high or low) for low, _, high in ranges)
