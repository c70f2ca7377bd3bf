"""The packet filter, as the inventory tells it."""

from typing import Annotated

from tasks.inventory.section import Becomes, Section


class Firewall(Section):
    """The host's own packet filter."""

    open_ports: Annotated[bool, Becomes("nftables or ufw rules")] = True
    """Let 25, 465 and 587 in where nftables or ufw runs; where neither does, nothing is installed."""
