"""Where a firewall drops mail, and what is done about it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.firewall import operations
from tasks.firewall import part as firewall
from tasks.firewall.facts import Firewall, FirewallSays
from tasks.firewall.nft_ruleset import Closed
from tasks.host import templates

CONF = "/etc/nftables.conf"

ESTABLISHED = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
LOOPBACK = {"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}
COUNTER = {"counter": {"packets": 36, "bytes": 5577}}
ACCEPT, DROP = {"accept": None}, {"drop": None}
REJECT = {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}
STATES = {
    "vmap": {
        "key": {"ct": {"key": "state"}},
        "data": {"set": [["invalid", DROP], ["established", ACCEPT], ["related", ACCEPT]]},
    }
}


def dport(ports: Any, op: str = "==", protocol: str = "tcp") -> dict[str, Any]:
    return {
        "match": {"op": op, "left": {"payload": {"protocol": protocol, "field": "dport"}}, "right": ports}
    }


def interface(name: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": {"meta": {"key": "iifname"}}, "right": name}}


def source(address: Any, op: str = "==", protocol: str = "ip") -> dict[str, Any]:
    return {
        "match": {"op": op, "left": {"payload": {"protocol": protocol, "field": "saddr"}}, "right": address}
    }


def layer(protocol: str) -> dict[str, Any]:
    return {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": protocol}}


def version(name: str) -> dict[str, Any]:
    return {"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": name}}


def jump(target: str, by: str = "jump") -> dict[str, Any]:
    return {by: {"target": target}}


SSH = [dport(22), ACCEPT]
MAIL = [dport({"set": [25, 465, 587]}), ACCEPT]


class Table:
    """A table, as `nft -j list ruleset` prints it."""

    def __init__(self, family: str = "inet", name: str = "filter", **more: Any) -> None:
        self.names = {"family": family, "table": name}
        self.parts: list[Any] = [{"table": {"family": family, "name": name, "handle": 1, **more}}]

    def base(self, *rules: Any, policy: str = "drop", name: str = "input", prio: int = 0) -> "Table":
        hook = {"type": "filter", "hook": "input", "prio": prio, "policy": policy}
        self.parts.append({"chain": {**self.names, "name": name, "handle": 2, **hook}})
        return self._add(name, *rules)

    def chain(self, name: str, *rules: Any) -> "Table":
        self.parts.append({"chain": {**self.names, "name": name, "handle": 3}})
        return self._add(name, *rules)

    def set(self, name: str, *elements: Any) -> "Table":
        elem = {"elem": list(elements)} if elements else {}
        self.parts.append({"set": {**self.names, "name": name, "type": "inet_service", "handle": 4, **elem}})
        return self

    def ours(self, chain: str = "input") -> "Table":
        self._add(chain, MAIL)
        self.parts[-1]["rule"]["comment"] = "quietrelay"
        return self

    def _add(self, chain: str, *rules: Any) -> "Table":
        for rule in rules:
            self.parts.append({"rule": {**self.names, "chain": chain, "handle": 7, "expr": rule}})
        return self


def printed(*tables: Table) -> list[str]:
    metainfo = {"metainfo": {"version": "1.1.3", "json_schema_version": 1}}
    return [json.dumps({"nftables": [metainfo, *(part for table in tables for part in table.parts)]})]


def look(
    *live: Table,
    boot: list[Table] | str | None = None,
    ufw: str = "",
    uplink: str = "eth0",
    iptables: dict[str, str] | None = None,
) -> FirewallSays:
    """What the fact says; without ``boot``, a boot loads what is loaded."""
    lines = ["[uplink]", uplink]
    if ufw:
        lines += ["[ufw]", *ufw.splitlines()]
    lines += ["[live]", *printed(*live), "[conf]", CONF, "[boot]"]
    lines += boot.splitlines() if isinstance(boot, str) else printed(*(live if boot is None else boot))
    for section, text in (iptables or {}).items():
        lines += [f"[{section}]", *text.splitlines()]
    return Firewall().process(lines)


def closed(by: str = "policy", family: str = "inet", table: str = "filter", chain: str = "input") -> Any:
    return {"family": family, "table": table, "chain": chain, "by": by, "ports": [25, 465, 587]}


def test_host_without_a_firewall_is_left_without_one() -> None:
    found = Firewall().process(["[uplink]", "eth0"])
    assert found["conf"] == ""
    assert not any((found["ufw"], found["closed"], found["foreign"], found["boot_closed"], found["broken"]))


def test_debians_default_ruleset_lets_mail_in_already() -> None:
    found = look(Table().base(policy="accept").chain("forward").chain("output"))
    assert found["closed"] == found["boot_needs"] == []


@pytest.mark.parametrize("family", ["inet", "ip", "ip6"])
def test_chain_whose_policy_is_drop_gets_a_rule_behind_the_operators(family: str) -> None:
    found = look(
        Table(family).base([STATES], [LOOPBACK, ACCEPT], SSH, [COUNTER, {"log": {"prefix": "no: "}}])
    )
    assert found["closed"] == found["boot_needs"] == [closed(family=family)]
    assert operations.statement(found["closed"][0]) == (
        f'add rule {family} filter input tcp dport {{ 25, 465, 587 }} accept comment "quietrelay"'
    )


@pytest.mark.parametrize(
    "last", [[DROP], [COUNTER, REJECT], [layer("tcp"), {"reject": {"type": "tcp reset"}}]]
)
@pytest.mark.parametrize("policy", ["accept", "drop"])
def test_chain_that_ends_in_a_drop_gets_a_rule_ahead_of_it(last: Any, policy: str) -> None:
    found = look(Table().base([ESTABLISHED, ACCEPT], SSH, last, policy=policy))
    assert found["closed"] == [closed("rule")]
    assert operations.statement(found["closed"][0]).startswith("insert rule inet filter input ")


@pytest.mark.parametrize(
    "rules",
    [
        [MAIL],
        [[dport(port), COUNTER, ACCEPT] for port in (25, 465, 587)],
        [[dport({"range": [1, 1023]}), ACCEPT]],
        [[dport({"set": [22, 25, {"range": [400, 600]}]}), ACCEPT]],
        [[dport("@mail"), ACCEPT]],
        [[dport(1024, "<"), ACCEPT]],
        [[dport(3306, "!="), ACCEPT]],
        [[layer("tcp"), dport([25, 465, 587], protocol="th"), ACCEPT]],
        [[interface("eth*"), jump("world")]],
        [[interface({"set": ["eth0", "wg0"]}), jump("world", "goto")]],
        [[version("ipv4"), *MAIL], [version("ipv6"), *MAIL]],
        [[{"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["eth0", jump("world")]]}}}]],
        [[{"vmap": {"key": dport(0)["match"]["left"], "data": "@verdicts"}}]],
    ],
)
def test_operators_own_rules_are_enough(rules: Any) -> None:
    table = Table().set("mail", 25, 465, {"elem": {"val": 587, "comment": "x"}}).chain("world", SSH, MAIL)
    verdicts = [[{"range": [25, 30]}, ACCEPT], [465, jump("world")], [587, ACCEPT]]
    table.parts.append({"map": {**table.names, "name": "verdicts", "map": "verdict", "elem": verdicts}})
    found = look(table.base([ESTABLISHED, ACCEPT], SSH, *rules, [DROP]))
    assert found["closed"] == []


@pytest.mark.parametrize(
    "rule",
    [
        [dport({"set": [25, 465]}), ACCEPT],
        [dport("@mail"), ACCEPT],
        [version("ipv4"), *MAIL],
        [source({"prefix": {"addr": "10.0.0.0", "len": 8}}), ACCEPT],
        [interface("lo"), *MAIL],
        [interface("eth1"), *MAIL],
        [dport({"set": [25, 465, 587]}, protocol="udp"), ACCEPT],
        [{"limit": {"rate": 5, "per": "minute"}}, ACCEPT],
        [ESTABLISHED, ACCEPT],
        [{"xt": {"type": "match", "name": "multiport"}}, ACCEPT],
        [jump("elsewhere")],
    ],
)
def test_rules_that_let_in_only_some_mail_are_not_enough(rule: Any) -> None:
    found = look(Table().set("mail").chain("elsewhere", SSH, [{"return": None}], MAIL).base(rule))
    assert found["closed"] == [closed()]


HOME = source({"prefix": {"addr": "10.0.0.0", "len": 8}})


@pytest.mark.parametrize(
    "rule",
    [
        [HOME, *MAIL],
        [*MAIL[:-1], {"limit": {"rate": 5, "per": "minute"}}, ACCEPT],
        [{"limit": {"rate": 5, "per": "minute"}}, jump("mail")],
        [HOME, jump("mail", "goto")],
        [{"set": {"op": "add", "elem": "x", "set": "@meter"}}, *MAIL],
    ],
)
@pytest.mark.parametrize("last", [[], [REJECT]])
def test_ports_that_are_open_on_the_operators_terms_are_not_opened_to_the_world(rule: Any, last: Any) -> None:
    table = Table().chain("mail", MAIL).base(SSH, rule, last)
    assert look(table)["closed"] == look(table)["boot_needs"] == []


def test_ports_of_which_the_operator_says_nothing_are_opened_beside() -> None:
    (chain,) = look(Table().base(SSH, [HOME, dport(587), ACCEPT]))["closed"]
    assert operations.statement(chain) == (
        'add rule inet filter input tcp dport { 25, 465 } accept comment "quietrelay"'
    )


@pytest.mark.parametrize(
    "rule",
    [
        [source("@banned"), DROP],
        [source({"prefix": {"addr": "10.0.0.0", "len": 8}}, "!="), DROP],
        [{"limit": {"rate": 9, "per": "second", "inv": True}}, DROP],
        [interface("lo", "!="), source("::1", protocol="ip6"), DROP],
        [dport(22), source("@banned"), REJECT],
    ],
)
def test_drops_on_a_condition_are_the_operators_business(rule: Any) -> None:
    found = look(Table().base(rule, MAIL), Table(name="f2b-table").base(rule, policy="accept", prio=-1))
    assert found["closed"] == []


def test_every_chain_that_drops_gets_the_rule_for_an_accept_counts_in_its_own_only() -> None:
    found = look(Table().base(MAIL), Table("ip", "more").base(SSH, [COUNTER, DROP], name="in"))
    assert found["closed"] == [closed("rule", "ip", "more", "in")]


def test_chains_that_see_no_mail_are_left_alone() -> None:
    dormant = Table(name="asleep", flags="dormant").base()
    dormant_in_debian_12 = Table(name="napping", flags="napping").base()
    docker = Table("ip", "filter").chain("DOCKER", [DROP])
    docker.parts.append({"chain": {**docker.names, "name": "FORWARD", "type": "filter", "hook": "forward"}})
    assert look(dormant, dormant_in_debian_12, docker)["closed"] == []


def test_ufws_chains_are_left_to_ufw() -> None:
    ufw = Table("ip").base([COUNTER, jump("ufw-before-logging-input")], [COUNTER, jump("ufw-before-input")])
    ufw6 = Table("ip6").base([COUNTER, jump("ufw6-before-input")])
    found = look(ufw, ufw6, boot=[])
    assert found["closed"] == found["foreign"] == []


def test_our_rule_is_seen_now_and_after_a_boot() -> None:
    found = look(Table().base(SSH).ours())
    assert found["closed"] == found["boot_closed"] == []
    assert found["boot_needs"] == [closed()]
    assert found["ours"] == ["inet filter input handle 7"]


def test_rule_that_a_boot_would_forget_is_missed() -> None:
    found = look(Table().base(SSH).ours(), boot=[Table().base(SSH)])
    assert found["closed"] == []
    assert found["boot_closed"] == [closed()]


def test_rule_that_somebody_deleted_is_missed() -> None:
    found = look(Table().base(SSH), boot=[Table().base(SSH).ours()])
    assert found["closed"] == [closed()]
    assert found["boot_closed"] == []


def test_chain_of_an_unknown_firewall_is_refused_before_anything_changes() -> None:
    found = look(Table(name="firewalld").base([REJECT], policy="accept", name="filter_INPUT"), boot=[])
    assert found["closed"] == []
    complaint = firewall.complain(found, open_ports=True) or ""
    assert "inet firewalld filter_INPUT" in complaint
    assert "open_ports=False" in complaint


def test_configuration_that_does_not_load_is_refused_with_nfts_words() -> None:
    error = "/etc/nftables.conf:9:1-3: Error: syntax error, unexpected newline\nXX\n  ^"
    complaint = firewall.complain(look(Table().base(MAIL), boot=error), open_ports=True) or ""
    assert CONF in complaint
    assert error.splitlines()[0] in complaint
    assert "\n" not in complaint


def test_firewall_that_does_not_answer_is_refused() -> None:
    assert firewall.complain(None, open_ports=True)


def test_unknown_firewall_is_left_alone_if_the_operator_says_so() -> None:
    found = look(Table(name="firewalld").base([REJECT]), boot="Error: no such file")
    assert firewall.complain(found, open_ports=True)
    assert firewall.complain(found, open_ports=False) is None


def test_firewalls_that_can_be_opened_are_not_refused() -> None:
    assert firewall.complain(look(Table().base(SSH)), open_ports=True) is None


UFW = """\
Status: active
Logging: on (low)
Default: {default} (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp (OpenSSH)           ALLOW IN    Anywhere
{rules}
22/tcp (OpenSSH (v6))      ALLOW IN    Anywhere (v6)
{rules6}

IPv6: yes"""


def ufw(*rules: str, default: str = "deny", v6: bool = True) -> str:
    rules6 = [rule.replace("Anywhere", "Anywhere (v6)") for rule in rules] if v6 else []
    return UFW.format(default=default, rules="\n".join(rules), rules6="\n".join(rules6))


@pytest.mark.parametrize(
    "rules",
    [
        ["25,465,587/tcp             ALLOW IN    Anywhere                   # quietrelay"],
        ["25                         ALLOW IN    Anywhere", "400:600/tcp    LIMIT IN    Anywhere     (log)"],
        [
            "25/tcp (Postfix)           ALLOW IN    Anywhere",
            "465/tcp (Postfix SMTPS (v6)) ALLOW IN    Anywhere",
            "587/tcp (v6) on eth0       ALLOW IN    Anywhere                   # x  # y",
        ],
        ["Anywhere on eth0           ALLOW IN    Anywhere"],
        ["25,465,587/tcp             ALLOW IN    Anywhere", "25         DENY IN     Anywhere"],
    ],
)
def test_ufw_that_lets_mail_in_is_left_alone(rules: list[str]) -> None:
    assert look(ufw=ufw(*rules))["ufw"] is None


@pytest.mark.parametrize(
    "rule",
    [
        "25,465/tcp                 ALLOW IN    Anywhere",
        "25,465,587/udp             ALLOW IN    Anywhere",
        "25,465,587/tcp on eth1     ALLOW IN    Anywhere",
        "25,465,587/tcp             ALLOW IN    10.0.0.0/8",
        "25,465,587/tcp             ALLOW OUT   Anywhere",
        "25,465,587/tcp             ALLOW FWD   Anywhere",
    ],
)
def test_ufw_that_lets_only_some_mail_in_gets_a_rule(rule: str) -> None:
    assert look(ufw=ufw(rule))["ufw"] == "policy"


def test_ufw_that_lets_mail_in_by_ipv4_only_gets_a_rule() -> None:
    rule = "25,465,587/tcp             ALLOW IN    Anywhere"
    assert look(ufw=ufw(rule, v6=False))["ufw"] == "policy"
    assert look(ufw=ufw(rule, v6=False).replace("IPv6: yes", "IPv6: no"))["ufw"] is None


def test_rule_of_ufw_that_drops_mail_is_preceded() -> None:
    deny = "25                         DENY IN     Anywhere"
    allow = "25,465,587/tcp             ALLOW IN    Anywhere                   # quietrelay"
    assert look(ufw=ufw(deny, allow))["ufw"] == "rule"


def test_ufw_that_drops_nothing_or_is_off_is_left_alone() -> None:
    assert look(ufw=ufw(default="allow"))["ufw"] is None
    assert look(ufw="Status: inactive\nIPv6: yes")["ufw"] is None


class Host:
    """Stands in for pyinfra's host in an operation."""

    def __init__(self, found: FirewallSays) -> None:
        self.found = found
        self.said: list[str] = []

    def get_fact(self, fact: type) -> FirewallSays:
        assert fact is Firewall
        return self.found

    def noop(self, reason: str) -> None:
        self.said.append(reason)


def commands(monkeypatch: pytest.MonkeyPatch, operation: Any, found: FirewallSays) -> list[str]:
    host = Host(found)
    monkeypatch.setattr(operations, "host", host)
    yielded: Iterator[Any] = operation._inner()
    lines = [str(command) for command in yielded]
    assert bool(lines) != bool(host.said), "an operation either acts or says why not"
    return lines


def test_boot_is_rehearsed_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal, load = commands(monkeypatch, operations.nftables_rules, look(Table().base(SSH)))
    assert rehearsal.startswith(f"printf '%s\\n' 'flush ruleset' 'include \"{CONF}\"' '' 'add rule inet")
    assert rehearsal.endswith("| nft -c -f -")
    assert load.startswith("printf '%s\\n' 'add rule inet")
    assert load.endswith("| nft -f -")
    assert "flush" not in load


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (operations.nftables_rules, look(Table().base(SSH).ours())),
        (operations.nftables_rules_removed, look(Table().base(SSH, MAIL))),
        (operations.ufw_rule, look(ufw=ufw(default="allow"))),
        (operations.ufw_rule_removed, look(ufw=ufw("25,465,587/tcp  ALLOW IN  Anywhere"))),
    ],
)
def test_operation_with_nothing_to_do_does_nothing(
    monkeypatch: pytest.MonkeyPatch, operation: Any, found: FirewallSays
) -> None:
    assert commands(monkeypatch, operation, found) == []


def test_only_our_own_rules_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(Table().base(SSH, MAIL).ours(), ufw=ufw("25,465,587/tcp  ALLOW IN  Anywhere  # quietrelay"))
    assert commands(monkeypatch, operations.nftables_rules_removed, found) == [
        "printf '%s\\n' 'delete rule inet filter input handle 7' | nft -f -"
    ]
    assert commands(monkeypatch, operations.ufw_rule_removed, found) == ["ufw delete allow 25,465,587/tcp"]


def test_ufw_moves_our_rule_ahead_of_one_that_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    deny = "25                         DENY IN     Anywhere"
    ours = "25,465,587/tcp             ALLOW IN    Anywhere                   # quietrelay"
    assert commands(monkeypatch, operations.ufw_rule, look(ufw=ufw(deny, ours))) == [
        "ufw delete allow 25,465,587/tcp",
        "ufw prepend allow 25,465,587/tcp comment quietrelay",
    ]


def test_file_for_the_boot_loads_even_where_the_operators_chains_are_gone() -> None:
    chains = [Closed(family="ip6", table="filter", chain="in", by="rule", ports=[25, 465, 587])]
    text = templates.render(
        "firewall/quietrelay.nft", conf=CONF, chains=chains, statement=operations.statement
    )
    statements = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert statements == [
        "add table ip6 filter",
        "add chain ip6 filter in",
        'insert rule ip6 filter in tcp dport { 25, 465, 587 } accept comment "quietrelay"',
    ]


IPTABLES = """\
# Generated by iptables-nft-save v1.8.11 (nf_tables)
*nat
:INPUT DROP [0:0]
COMMIT
*filter
:INPUT {policy} [0:0]
:FORWARD DROP [0:0]
:mail - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT ! -i eth+ -j ACCEPT
{rules}
-A INPUT -j REJECT --reject-with icmp-port-unreachable
-A mail -p tcp -m multiport --dports 25,465,500:600 -j ACCEPT
COMMIT
"""
XT = {"xt": {"type": "match", "name": "multiport"}}


def iptables(*rules: str, policy: str = "ACCEPT") -> str:
    return IPTABLES.format(policy=policy, rules="\n".join(rules))


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p tcp -m multiport --dports 25,465,587 -j ACCEPT",
        '-A INPUT -p tcp -m comment --comment "-j DROP ! it" -g mail',
        "-A INPUT -p tcp -m tcp --dport 25:587 -m conntrack --ctstate NEW -j ACCEPT",
        "-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 25,465,587 -j ACCEPT",
        "-A INPUT -m limit --limit 5/sec -j mail",
        "-A INPUT ! -p udp -j ACCEPT",
    ],
)
@pytest.mark.parametrize("section", ["ip", "legacy_ip6"])
def test_iptables_that_lets_mail_in_is_seen_to(rule: str, section: str) -> None:
    hidden = Table("ip", "filter").base([XT, ACCEPT], [REJECT], name="INPUT")
    live = [hidden] if section == "ip" else []
    found = look(*live, boot=[], iptables={section: iptables(rule)})
    assert found["closed"] == found["foreign"] == []


@pytest.mark.parametrize(
    ("rules", "policy"),
    [
        ([], "ACCEPT"),
        (["-A INPUT -p udp -m multiport --dports 25,465,587 -j ACCEPT"], "ACCEPT"),
        (["-A INPUT -p tcp -m multiport ! --dports 25,80 -j ACCEPT"], "DROP"),
        (["-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A INPUT -i lo -j mail"], "ACCEPT"),
        (["-A INPUT -j LOG --log-prefix DROP", "-A INPUT -p tcp -j RETURN"], "DROP"),
    ],
)
def test_iptables_that_drops_mail_is_named(rules: list[str], policy: str) -> None:
    texts = {"ip": iptables(*rules, policy=policy), "legacy_ip": iptables(*rules, policy=policy)}
    complaint = firewall.complain(look(boot=[], iptables=texts), open_ports=True) or ""
    assert "(ip filter INPUT, ip filter (iptables-legacy) INPUT)" in complaint


def test_table_of_which_nft_knows_all_is_as_nft_has_it() -> None:
    table = Table("ip", "filter").base(SSH, name="INPUT").ours("INPUT")
    found = look(table, iptables={"ip": iptables()})
    assert found["foreign"] == found["closed"] == []
    assert found["ours"] == ["ip filter INPUT handle 7"]
