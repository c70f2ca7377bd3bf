"""Users of a host that somebody else made, a package for instance."""

from collections.abc import Generator

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from tasks.host import differences
from tasks.host.facts.users import GroupsOf


@operation()
def in_group(user: str, group: str) -> Generator[StringCommand, None, None]:
    """Have a user in a group, and in those that it is in already; nothing else of the user's changes.

    + user: exists by then
    + group: exists by then
    """
    if group in host.get_fact(GroupsOf, user=user):
        host.noop(f"{user} is in {group}")
        return
    differences.tell("/etc/group", f"{user} is not in {group}")
    yield StringCommand("usermod --append --groups", QuoteString(group), QuoteString(user))
