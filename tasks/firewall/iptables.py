"""What iptables filters, in nftables' words. Everything here is pure.

nft shows the rules that iptables keeps in its tables without half of their conditions, and sees none of what
iptables-legacy keeps beside them; iptables-save(8) prints both.
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import Any

BUILT_IN = ("INPUT", "FORWARD", "OUTPUT")
HARMLESS = ("tcp", "udp", "multiport", "conntrack", "state", "comment")
"""Extensions that are no condition of themselves, and whose conditions are known here, or are none."""
VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "NFQUEUE": "queue"}


def ruleset(printed: Iterable[str], family: str, table: str) -> list[dict[str, Any]]:
    """Write the filter table as libnftables-json(5) has it.

    :param printed: what iptables-save or ip6tables-save prints
    :param family: ``ip`` or ``ip6``
    :param table: the name that it is to have
    """
    parts: list[dict[str, Any]] = []
    names = {"family": family, "table": table}
    chains: set[str] = set()
    filters = False
    for line in printed:
        if line.startswith("*"):
            filters = line == "*filter"
        elif filters and line.startswith(":"):
            name, policy, _ = line[1:].split(maxsplit=2)
            chains.add(name)
            hook = {"type": "filter", "hook": name.lower(), "policy": policy.lower()}
            parts.append({"chain": {**names, "name": name, **(hook if name in BUILT_IN else {})}})
        elif filters and line.startswith("-A "):
            _, name, *words = shlex.split(line)
            parts.append({"rule": {**names, "chain": name, "expr": list(_expression(words, chains))}})
    return parts


def _expression(words: list[str], chains: set[str]) -> Iterator[dict[str, Any]]:
    protocol = "tcp"
    for op, option, values in _options(words):
        value = values[0] if values else ""
        match option:
            case "-p":
                protocol = value
                yield _match(op, {"meta": {"key": "l4proto"}}, value)
            case "-i":
                yield _match(op, {"meta": {"key": "iifname"}}, value.replace("+", "*"))
            case "--dport" | "--dports":
                left = {"payload": {"protocol": protocol, "field": "dport"}}
                yield _match(op, left, {"set": [_ports(one) for one in value.split(",")]})
            case "--ctstate" | "--state":
                yield _match(op, {"ct": {"key": "state"}}, {"set": value.lower().split(",")})
            case "-j" | "-g" if value in chains:
                yield {"jump" if option == "-j" else "goto": {"target": value}}
            case "-j" if value in VERDICTS:
                yield {VERDICTS[value]: None}
            case "-j" | "--comment":
                pass  # a target that does not decide
            case "-m" if value in HARMLESS:
                pass
            case _:
                yield {"xt": {"name": option}}


def _options(words: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Part a rule into options, each with how it compares; a target, with options of its own, is the last."""
    while words:
        op = "!=" if words[0] == "!" else "=="
        option, *words = words[op == "!=" :]
        last = option in ("-j", "-g")
        first = option == "--comment"  # whose text may begin with anything
        ends = (n for n, word in enumerate(words) if n >= first and (word == "!" or word.startswith("-")))
        end = next(ends, len(words))
        yield op, option, words[:end]
        words = [] if last else words[end:]


def _match(op: str, left: dict[str, Any], right: Any) -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def _ports(text: str) -> Any:
    low, colon, high = text.partition(":")
    return {"range": [int(low or 0), int(high or 65535)]} if colon else int(low)
