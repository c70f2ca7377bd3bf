"""What becomes of mail that a client brings, by the rules of nftables. Everything here is pure."""

import json
import operator
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypedDict

PORTS = (25, 465, 587)
MARK = "quietrelay"
"""The comment that our rules carry, and by which they are known again."""

By = Literal["policy", "rule"]
"""What drops a packet: the last word of a chain, or one of its rules, which an added rule must precede."""

End = Literal["accept", "terms", "drop", "end"]
"""What becomes of a packet in a chain: let in, on the operator's terms, dropped, or left to what follows."""


class Closed(TypedDict):
    """A base chain of nftables that drops mail."""

    family: str
    table: str
    chain: str
    by: By
    ports: list[int]
    """Those to let in: all, but for what the operator lets in on conditions."""


def worst(fates: Iterable[By | None]) -> By | None:
    """A rule is overcome only by an earlier rule, which overcomes a policy too."""
    found = set(fates)
    return "rule" if "rule" in found else "policy" if "policy" in found else None


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


def completed(parts: list[dict[str, Any]], iptables: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take from iptables the tables that nft does not print, or of which it hides conditions (xt)."""
    printed = {_table(part) for part in parts}
    hidden = {_table(part) for part in parts for does in part.get("rule", {}).get("expr", ()) if "xt" in does}
    better = [part for part in iptables if _table(part) not in printed - hidden]
    replaced = {_table(part) for part in better}
    return [*(part for part in parts if "table" in part or _table(part) not in replaced), *better]


def _table(part: dict[str, Any]) -> tuple[str, str]:
    ((kind, said),) = part.items()
    return said.get("family", ""), said.get("name" if kind == "table" else "table", "")


class Ruleset:
    """What ``nft -j list ruleset`` prints (libnftables-json(5)), asked what becomes of a client's packets.

    Of some rules it cannot be known whether they match: by the client's address, say, or a limit. They are
    the operator's conditions. One that accepts a port of ours by its number says on which terms it is open,
    and the world is not let in there; any other neither lets mail in nor drops it: the next is looked at.
    """

    def __init__(self, printed: str, but: str | None = None, iptables: Iterable[dict[str, Any]] = ()) -> None:
        """Read a ruleset, all but the rules that carry the comment ``but``.

        :param iptables: the same of iptables' tables, for those of which nft does not know all
        """
        self.bases: list[dict[str, Any]] = []
        self.rules: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self.elements: dict[tuple[str, str, str], list[Any]] = {}
        asleep = set()
        parts = json.loads(printed)["nftables"] if printed else []
        for part in completed(parts, iptables):
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
            if not self._is_ufws(base) and (closed := self._closed(base, uplink)):
                found.append(closed)
        return found

    def _is_ufws(self, base: dict[str, Any]) -> bool:
        """ufw's rules are judged by ufw's own words; here they are half hidden (xt)."""
        rules = self.rules.get((base["family"], base["table"], base["name"]), [])
        return any(
            statement.get("jump", {}).get("target") in ("ufw-before-input", "ufw6-before-input")
            for rule in rules
            for statement in rule["expr"]
        )

    def _closed(self, base: dict[str, Any], uplink: str) -> Closed | None:
        versions = ("ip", "ip6") if base["family"] == "inet" else (base["family"],)
        names = (base["family"], base["table"], base["name"])
        ends = {
            port: {self._walk(names, Packet(version, port, uplink)) for version in versions} for port in PORTS
        }
        ports = [port for port in PORTS if "terms" not in ends[port]]
        policy: By | None = "policy" if base.get("policy") == "drop" else None
        fates: dict[End, By | None] = {"drop": "rule", "end": policy}
        by = worst(fates.get(end) for port in ports for end in ends[port])
        return Closed(family=names[0], table=names[1], chain=names[2], by=by, ports=ports) if by else None

    def _walk(
        self, chain: tuple[str, str, str], packet: Packet, *, sure: bool = True, named: bool = False
    ) -> End:
        """Follow a packet through a chain.

        :param sure: whether it surely gets there
        :param named: whether a rule on its way named its port
        """
        for rule in self.rules.get(chain, []):
            verdict, certain, names_port = self._verdict(rule, packet)
            surely, by_number = sure and certain, named or names_port
            match verdict:
                case {"accept": _} | {"queue": _}:
                    if surely or by_number:
                        return "accept" if surely else "terms"
                case {"drop": _} | {"reject": _} if certain:
                    return "drop"
                case {"return": _} if certain:
                    return "end"
                case {"goto": {"target": target}} | {"jump": {"target": target}}:
                    end = self._walk((*chain[:2], target), packet, sure=surely, named=by_number)
                    if end == "terms" or (certain and (end != "end" or "goto" in verdict)):
                        return end
        return "end"

    def _verdict(self, rule: dict[str, Any], packet: Packet) -> tuple[Any, bool, bool]:
        """Tell the rule's verdict, if the packet may get it; whether it surely does; and if by its port."""
        certain, named = True, False
        for statement in rule["expr"]:
            match statement:
                case {"match": {"left": left, "op": op, "right": right}}:
                    value = packet.field(left)
                    if value is None:
                        certain = False
                    elif not self._holds(value, op, right, rule):
                        return None, certain, named
                    named = named or (value == packet.port and op != "!=")
                case {"vmap": {"key": key, "data": data}} if (value := packet.field(key)) is not None:
                    pairs = self._members(data, rule)
                    fitting = (then for given, then in pairs if self._holds(value, "==", given, rule))
                    return next(fitting, None), certain, named or value == packet.port
                case {"counter": _} | {"log": _} | {"mangle": _} | {"xt": {"name": "comment"}}:
                    pass
                case {"accept": _} | {"queue": _} | {"drop": _} | {"reject": _} | {"return": _}:
                    return statement, certain, named
                case {"goto": _} | {"jump": _}:
                    return statement, certain, named
                case _:
                    certain = False
        return None, certain, named

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
