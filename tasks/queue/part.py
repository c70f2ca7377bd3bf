"""The queue: how large a message may be, and for how long it waits (postconf(5))."""

from tasks.part import Part
from tasks.postfix.configuration import Configuration
from tasks.queue.section import Queue

# Postfix's own limit of a mailbox, in bytes; it delivers to none that is smaller than a message may be.
MAILBOX = 51_200_000


def part(queue: Queue) -> Part:
    """Set what the inventory says; the rest is Postfix's, or the admin's."""
    said = {
        "message_size_limit": queue.message_bytes,
        "maximal_queue_lifetime": queue.lifetime_days,
        "bounce_queue_lifetime": queue.bounce_lifetime_days,
    }
    units = {"message_size_limit": "", "maximal_queue_lifetime": "d", "bounce_queue_lifetime": "d"}
    large = (queue.message_bytes or 0) > MAILBOX
    unlimited = {"mailbox_size_limit": "0", "virtual_mailbox_limit": "0"} if large else {}
    parameters = {name: f"{value}{units[name]}" for name, value in said.items() if value is not None}
    return Part(postfix=Configuration(parameters=parameters | unlimited))
