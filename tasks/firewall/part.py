"""Mail let in through the host's own packet filter, where it runs one: nftables or ufw.

Only what drops mail gets a rule, now and for the next boot; the operator's rules are neither reloaded nor
rewritten, so what lets SSH in stays as it is.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pyinfra import host
from pyinfra.operations import files

from tasks.firewall import operations as firewall
from tasks.firewall.facts import Firewall, FirewallSays
from tasks.firewall.nft_ruleset import Closed
from tasks.firewall.section import Firewall as Section
from tasks.host.operations import owned
from tasks.host.templates import render
from tasks.part import Ask, Part

BOOT_RULES = "/etc/quietrelay/firewall.nft"

# A pattern that matches no file is no error to nft, a file that is missing is (nft(8), INCLUDE FILES): who
# removes ours is not left without a firewall at the next boot.
INCLUDE = 'include "/etc/quietrelay/*.nft"'


def part(section: Section) -> Part:
    """Let 25, 465 and 587 in, or take back what let them in."""
    return Part(
        actions=(partial(act, section.open_ports),),
        complaints={"firewall": partial(complaints, section.open_ports)},
    )


def act(open_ports: bool) -> None:
    """Call the operations for what is due; where nothing is, there is none, and one fact is all it cost."""
    found = host.get_fact(Firewall)
    if open_ports:
        _open(found)
    else:
        _withdraw(found)


def complaints(open_ports: bool, ask: Ask) -> Iterator[str]:
    """Ask the host what keeps mail out."""
    if complaint := complain(ask(Firewall), open_ports):
        yield complaint


def complain(found: FirewallSays | None, open_ports: bool) -> str | None:
    """Say what keeps mail out that cannot be helped from here, and what to do; None where nothing does."""
    if found is None:  # pyinfra goes on preparing after a fact failed, until the last host has failed
        return "its firewall does not answer, in the words above; repair ufw or nft there, or remove it"
    if not open_ports:
        return None
    if found["broken"]:
        return (
            f"nft cannot load {found['conf']} as a boot would ({found['broken']}); repair it, or leave the "
            "firewall alone with Firewall(open_ports=False)"
        )
    if found["foreign"]:
        chains = ", ".join(map(_name, found["foreign"]))
        return (
            f"a firewall other than ufw and nftables.service drops mail ({chains}); let 25, 465 and 587 in "
            "there, or leave it alone with Firewall(open_ports=False)"
        )
    return None


def _open(found: FirewallSays) -> None:
    """Add what is missing."""
    if found["ufw"]:
        firewall.ufw_rule(name=f"Let mail in through ufw{_ahead(found['ufw'])}")
    if closed := found["closed"] or found["boot_closed"]:
        where = ", ".join(f"{_name(chain)}{_ahead(chain['by'])}" for chain in closed)
        firewall.nftables_rules(name=f"Let mail in through nftables: {where}")
    if found["boot_closed"]:
        directory = str(Path(BOOT_RULES).parent)
        owned.directory(name=f"Make {directory}", path=directory)
        rules = render(
            "firewall/quietrelay.nft",
            conf=found["conf"],
            chains=found["boot_needs"],
            statement=firewall.statement,
        )
        owned.text(name=f"Write {BOOT_RULES}", path=BOOT_RULES, content=rules)
        files.line(
            name=f"Include {BOOT_RULES} in {found['conf']}",
            path=found["conf"],
            line=f"^{re.escape(INCLUDE)}$",
            replace=INCLUDE,
            ensure_newline=True,
        )


def _withdraw(found: FirewallSays) -> None:
    """Remove our own rules wherever they are."""
    if found["ufw_ours"]:
        firewall.ufw_rule_removed(name="Remove our rule from ufw")
    if found["ours"]:
        firewall.nftables_rules_removed(name="Remove our rules from nftables")
    if found["conf"]:
        files.line(
            name=f"Remove our line from {found['conf']}",
            path=found["conf"],
            line=f"^{re.escape(INCLUDE)}$",
            present=False,
        )
        owned.gone(name=f"Remove {BOOT_RULES}", path=BOOT_RULES)
        directory = str(Path(BOOT_RULES).parent)
        owned.no_directory(name=f"Remove {directory}", path=directory)


def _name(chain: Closed) -> str:
    return f"{chain['family']} {chain['table']} {chain['chain']}"


def _ahead(by: str) -> str:
    return ", ahead of its rules, as one of them drops it" if by == "rule" else ""
