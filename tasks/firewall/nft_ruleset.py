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


class Closed(TypedDict):
    """A base chain of nftables that drops mail."""

    family: str
    table: str
    chain: str
    by: By


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
