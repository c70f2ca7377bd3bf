"""Rules that let mail in through the firewall that a host runs."""

from collections.abc import Generator, Iterable

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from tasks.firewall.facts import Firewall
from tasks.firewall.nft_ruleset import MARK, PORTS, Closed
from tasks.host import differences

PORT_LIST = ",".join(map(str, PORTS))
UFW_RULE = f"allow {PORT_LIST}/tcp"


@operation()
def nftables_rules() -> Generator[StringCommand, None, None]:
    """Let mail in through every loaded chain of the operator's that drops it, all at once or not at all.

    What is to be loaded at boot is rehearsed first, by nft's own check behind the file that it comes after:
    one statement that fails there would leave the host without any rule.
    """
    found = host.get_fact(Firewall)
    if not found["closed"] and not found["boot_closed"]:
        host.noop("nftables lets mail in")
        return
    told = ((found["closed"], "drops mail"), (found["boot_closed"], "will drop mail after a boot"))
    for chains, words in told:
        for chain in chains:
            differences.tell(f"nftables {chain['family']} {chain['table']} {chain['chain']}", words)
    if found["boot_closed"]:
        # The empty line makes good for a file that does not end with one.
        boot = ["flush ruleset", f'include "{found["conf"]}"', "", *map(statement, found["boot_needs"])]
        yield _feed("nft -c -f -", boot)
    if found["closed"]:
        yield _feed("nft -f -", map(statement, found["closed"]))


@operation()
def nftables_rules_removed() -> Generator[StringCommand, None, None]:
    """Take our loaded rules back, and no others."""
    ours = host.get_fact(Firewall)["ours"]
    if not ours:
        host.noop("nftables has no rule of ours")
        return
    differences.tell("nftables", "has a rule of ours, which is not wanted any more")
    yield _feed("nft -f -", [f"delete rule {rule}" for rule in ours])


@operation()
def ufw_rule() -> Generator[StringCommand, None, None]:
    """Let mail in through ufw, which keeps its rules over a reboot by itself (ufw(8))."""
    found = host.get_fact(Firewall)
    if found["ufw"]:
        differences.tell("ufw", "drops mail")
    match found["ufw"]:
        case None:
            host.noop("ufw lets mail in")
        case "policy":
            yield StringCommand(f"ufw {UFW_RULE} comment {MARK}")
        case "rule":
            # ufw leaves a rule that it has where it is, behind the one that drops.
            if found["ufw_ours"]:
                yield StringCommand(f"ufw delete {UFW_RULE}")
            yield StringCommand(f"ufw prepend {UFW_RULE} comment {MARK}")


@operation()
def ufw_rule_removed() -> Generator[StringCommand, None, None]:
    """Take our rule in ufw back, and no other."""
    if not host.get_fact(Firewall)["ufw_ours"]:
        host.noop("ufw has no rule of ours")
        return
    differences.tell("ufw", "has a rule of ours, which is not wanted any more")
    yield StringCommand(f"ufw delete {UFW_RULE}")


def statement(closed: Closed) -> str:
    """Say to nft what lets mail in through a chain.

    An accept counts for its own base chain only, so every chain that drops gets the rule (nft(8), VERDICT
    STATEMENTS). Behind all rules of the operator's it takes nothing from them. Where one of those drops, it
    has to be ahead, and then of all: handles change with every load, a counted position with every edit.
    """
    verb = "add" if closed["by"] == "policy" else "insert"
    ports = ", ".join(map(str, closed["ports"]))
    rule = f'tcp dport {{ {ports} }} accept comment "{MARK}"'
    return f"{verb} rule {closed['family']} {closed['table']} {closed['chain']} {rule}"


def _feed(command: str, statements: Iterable[str]) -> StringCommand:
    return StringCommand("printf '%s\\n'", *map(QuoteString, statements), "|", command)
