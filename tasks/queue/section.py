"""What the queue takes, as the inventory tells it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Days


class Queue(Section):
    """What the queue takes, and for how long. What is not said is Postfix's, or the admin's in main.cf."""

    message_bytes: Annotated[
        int | None, Field(ge=1_000_000, le=1_000_000_000), Becomes("message_size_limit")
    ] = None
    """Bytes of the largest message, attachments as they travel (a third more than their files); Postfix has
    10240000."""

    lifetime_days: Annotated[Days | None, Becomes("maximal_queue_lifetime")] = None
    """Days until mail that cannot be delivered goes back to its sender; Postfix has 5."""

    bounce_lifetime_days: Annotated[Days | None, Becomes("bounce_queue_lifetime")] = None
    """Days until a notice that cannot be delivered is given up; Postfix has 5."""

    @model_validator(mode="after")
    def _gives_notices_up_in_time(self) -> Self:
        lifetime, bounce = self.lifetime_days, self.bounce_lifetime_days
        if lifetime and bounce and bounce > lifetime:
            raise ValueError(
                f"bounce_lifetime_days: Postfix would take lifetime_days, {lifetime}; write no more than that"
            )
        return self
