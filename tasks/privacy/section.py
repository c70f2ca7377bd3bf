"""What leaves with users' mail, as the inventory tells it."""

from typing import Annotated, Literal

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Domain, HeaderName
from tasks.privacy import rules, telltale_headers


class Privacy(Section):
    """What leaves with users' mail."""

    trace: Annotated[Literal["anonymous", "classic"], Becomes("header_checks")] = "anonymous"
    """The relay's own trace header: `anonymous`, or `classic`, with the login, and then not on port 25."""

    dropped_headers: Annotated[tuple[HeaderName, ...], Becomes("header_checks")] = telltale_headers.NAMES
    """Headers that users' software may have written and that go; `*` at the end stands for any rest."""

    private_domains: Annotated[tuple[Domain, ...], Becomes("header_checks")] = rules.PRIVATE_DOMAINS
    """Message ids made below these get the relay's name, as do ids made at an address or a bare name."""
