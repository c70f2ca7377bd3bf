"""Postfix's log, as the inventory tells it."""

from typing import Annotated

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Days


class Logs(Section):
    """Postfix's log, in which the clients' addresses are."""

    keep_days: Annotated[Days | None, Becomes("maillog_file")] = None
    """Days for which it is kept, in a file of its own; by default it goes to the system's log, which keeps it
    as long as it does."""
