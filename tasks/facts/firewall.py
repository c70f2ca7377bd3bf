"""Where a host's firewall drops mail that clients bring, now and after the next boot."""

import json
import operator
import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypedDict

from pyinfra.api import FactBase
from typing_extensions import override

PORTS = (25, 465, 587)
MARK = "quietrelay"
"""The comment that our rules carry, and by which they are known again."""

By = Literal["policy", "rule"]
"""What drops a packet: the last word of a chain, or one of its rules, which an added rule must precede."""


class Closed(TypedDict):
    """A base chain of nftables that drops mail."""

    family: str
    table: str
    chain: str
    by: By


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


# What a boot brings is seen by loading it into an empty network namespace, beside the host's own. Only where
# that fails it is tried with interfaces of the host's names, which "iif eth0" wants to exist (nft(8)).
COMMAND = r"""
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
echo "[uplink]"; { ip route show default; ip -6 route show default; } | sed -n 's/.* dev \([^ ]*\).*/\1/p'
if command -v ufw >/dev/null; then
  echo "[ufw]"; ufw status verbose || exit
  sed -n 's/^ *IPV6=/IPv6: /p' /etc/default/ufw
fi
if command -v nft >/dev/null; then
  echo "[live]"; nft -j list ruleset || exit
  if systemctl -q is-enabled nftables 2>/dev/null || systemctl -q is-active nftables; then
    conf=$(systemctl show -p ExecStart nftables | sed -n 's/.* -f \([^ ;]*\).*/\1/p')
    echo "[conf]"; echo "$conf"; echo "[boot]"
    unshare --net sh -c '
      load() { nft -f "$0" && nft -j list ruleset; }
      pretend() { for link in /sys/class/net/*; do ip link add "${link##*/}" type veth; done; }
      { load || { pretend; load; }; } 2>/dev/null || nft -f "$0"' "$conf" 2>&1 || true
  fi
fi
"""


class Firewall(FactBase[FirewallSays]):
    """Ask ufw and nftables what becomes of mail, in one remote command that changes nothing."""

    @override
    def command(self) -> str:
        return COMMAND

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
        live = Ruleset("\n".join(sections.get("live", [])))
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


class Packet(NamedTuple):
    """The first packet of a client's connection, as far as it is known."""

    family: str
    port: int
    uplink: str

    def field(self, expression: dict[str, Any]) -> str | int | None:
        """What an expression of nft yields; None if that is not known, or the packet has no such thing."""
        match expression:
            case {"payload": {"protocol": "tcp" | "th", "field": "dport"}}:
                return self.port
            case {"payload": {"protocol": "tcp", "field": "flags"}}:
                return "syn"
            case {"payload": {"protocol": family, "field": "protocol" | "nexthdr"}} if family == self.family:
                return "tcp"
            case {"meta": {"key": "l4proto"}}:
                return "tcp"
            case {"meta": {"key": "nfproto"}}:
                return {"ip": "ipv4", "ip6": "ipv6"}[self.family]
            case {"meta": {"key": "protocol"}}:
                return self.family
            case {"meta": {"key": "iif" | "iifname"}}:
                return self.uplink
            case {"ct": {"key": "state"}}:
                return "new"
        return None


COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Ruleset:
    """What ``nft -j list ruleset`` prints (libnftables-json(5)), asked what becomes of a client's packets.

    Of some rules it cannot be known whether they match: by the client's address, say, or a limit. They are
    the operator's conditions, and neither let mail in nor drop it here: the next rule is looked at.
    """

    def __init__(self, printed: str, but: str | None = None) -> None:
        """Read a ruleset, all but the rules that carry the comment ``but``."""
        self.bases: list[dict[str, Any]] = []
        self.rules: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.elements: dict[tuple[str, str, str], list[Any]] = {}
        asleep = set()
        for part in json.loads(printed)["nftables"] if printed else []:
            match part:
                # nftables 1.0.6 prints the table's name in place of its flag.
                case {"table": {"family": family, "name": name, "flags": flags}} if flags in (
                    "dormant",
                    name,
                ):
                    asleep.add((family, name))
                case {"chain": {"hook": "input", "type": "filter", "family": "ip" | "ip6" | "inet"} as chain}:
                    self.bases.append(chain)
                case {"rule": rule} if but is None or rule.get("comment") != but:
                    self.rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule)
                case {"set": named} | {"map": named}:
                    key = (named["family"], named["table"], f"@{named['name']}")
                    self.elements[key] = named.get("elem", [])
        self.bases = [base for base in self.bases if (base["family"], base["table"]) not in asleep]

    def ours(self) -> list[str]:
        """Name our rules by their handles."""
        return [
            f"{family} {table} {chain} handle {rule['handle']}"
            for (family, table, chain), rules in self.rules.items()
            for rule in rules
            if rule.get("comment") == MARK
        ]

    def declares(self, closed: Closed) -> bool:
        """Tell whether a base chain is in the ruleset."""
        names = (closed["family"], closed["table"], closed["chain"])
        return any((base["family"], base["table"], base["name"]) == names for base in self.bases)

    def closed(self, uplink: str) -> list[Closed]:
        """Find the base chains that drop mail, from a client that comes by the interface ``uplink``."""
        found = []
        for base in self.bases:
            versions = ("ip", "ip6") if base["family"] == "inet" else (base["family"],)
            packets = [Packet(version, port, uplink) for version in versions for port in PORTS]
            if not self._is_ufws(base) and (by := worst(self._fate(base, packet) for packet in packets)):
                found.append(Closed(family=base["family"], table=base["table"], chain=base["name"], by=by))
        return found

    def _is_ufws(self, base: dict[str, Any]) -> bool:
        """ufw's rules are judged by ufw's own words; here they are half hidden (xt)."""
        rules = self.rules.get((base["family"], base["table"], base["name"]), [])
        return any(
            statement.get("jump", {}).get("target") in ("ufw-before-input", "ufw6-before-input")
            for rule in rules
            for statement in rule["expr"]
        )

    def _fate(self, base: dict[str, Any], packet: Packet) -> By | None:
        match self._walk(base["family"], base["table"], base["name"], packet):
            case "drop":
                return "rule"
            case "end" if base.get("policy") == "drop":
                return "policy"
        return None

    def _walk(self, family: str, table: str, chain: str, packet: Packet) -> Literal["accept", "drop", "end"]:
        for rule in self.rules.get((family, table, chain), []):
            match self._verdict(rule, packet):
                case {"accept": _} | {"queue": _}:
                    return "accept"
                case {"drop": _} | {"reject": _}:
                    return "drop"
                case {"return": _}:
                    return "end"
                case {"goto": {"target": target}}:
                    return self._walk(family, table, target, packet)
                case {"jump": {"target": target}}:
                    if (fate := self._walk(family, table, target, packet)) != "end":
                        return fate
        return "end"

    def _verdict(self, rule: dict[str, Any], packet: Packet) -> Any:
        """The rule's verdict if the packet surely meets all its conditions, or a statement not known here."""
        for statement in rule["expr"]:
            match statement:
                case {"match": {"left": left, "op": op, "right": right}}:
                    value = packet.field(left)
                    if value is None or not self._holds(value, op, right, rule):
                        return None
                case {"vmap": {"key": key, "data": data}} if (value := packet.field(key)) is not None:
                    pairs = self._members(data, rule)
                    return next(
                        (then for given, then in pairs if self._holds(value, "==", given, rule)), None
                    )
                case {"counter": _} | {"log": _} | {"mangle": _} | {"xt": {"name": "comment"}}:
                    pass
                case _:
                    return statement
        return None

    def _holds(self, value: str | int, op: str, right: Any, rule: dict[str, Any]) -> bool:
        match op, right:
            case "!=", _:
                return not self._holds(value, "==", right, rule)
            case "<" | "<=" | ">" | ">=", int():
                return isinstance(value, int) and COMPARISONS[op](value, right)
            case _, {"range": [int(low), int(high)]}:
                return isinstance(value, int) and low <= value <= high
            case _, {"elem": {"val": inner}}:
                return self._holds(value, op, inner, rule)
            case _, int():
                return value == right
            case _, str() if not right.startswith("@"):
                return value == right or (right.endswith("*") and str(value).startswith(right[:-1]))
        return any(self._holds(value, op, member, rule) for member in self._members(right, rule))

    def _members(self, given: Any, rule: dict[str, Any]) -> list[Any]:
        """What a set, a map or a list has in it; "@" and a name stand for one that is declared apart."""
        match given:
            case {"set": list(members)} | list(members):
                return members
            case str():
                return self.elements.get((rule["family"], rule["table"], given), [])
        return []


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


def worst(fates: Iterable[By | None]) -> By | None:
    """A rule is overcome only by an earlier rule, which overcomes a policy too."""
    found = set(fates)
    return "rule" if "rule" in found else "policy" if "policy" in found else None
