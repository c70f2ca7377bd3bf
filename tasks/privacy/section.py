"""What leaves with users' mail, as the inventory tells it."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.inventory.section import Becomes, Section
from tasks.inventory.values import Address, Days, Domain, HeaderName, Line, OperatorPath
from tasks.privacy import rules


class Privacy(Section):
    """What leaves with users' mail."""

    trace: Annotated[Literal["anonymous", "classic"], Becomes("header_checks")] = "anonymous"
    """The relay's own trace header: `anonymous`, or `classic`, with the login, and then not on port 25."""

    vouched_headers: Annotated[tuple[Line, ...], Becomes("header_checks")] = ()
    """Headers that leave as well, beside those that are known to be harmless; `*` at the end stands for any
    rest."""

    dropped_headers: Annotated[tuple[HeaderName, ...], Becomes("header_checks")] = ()
    """Headers that go, also where they are vouched for; `*` at the end stands for any rest."""

    unknown_headers: Annotated[Literal["dropped", "kept"], Becomes("header_checks")] = "dropped"
    """What becomes of headers that nobody has judged: `dropped`, or `kept`, as release 0.1 did; then those
    alone go that are known to tell."""

    ids_known_days: Annotated[Days | None, Becomes("header_checks")] = 365
    """Days for which the relay knows the ids that it rewrote, by a keyed hash. A stranger's id that users
    answer to stays, so threads hold; with `None` it is rewritten like their own."""

    date: Annotated[Literal["written", "utc"], Becomes("header_checks")] = "written"
    """`Date` as the user's program wrote it, which tells his time zone, or the same moment in `utc`."""

    private_domains: Annotated[tuple[Domain, ...], Becomes("header_checks")] = ()
    """Message ids made below these get the relay's name, too, beside those known to be made at home."""

    ids_domain: Annotated[Domain | None, Becomes("header_checks")] = None
    """Name that rewritten ids get, by default the relay's own. Several relays of the same users need one in
    common, for threads to hold."""

    fleet: Annotated[tuple[Address, ...], Becomes("quietrelay-fleet.service")] = ()
    """Addresses of all relays of the same users, this one's among them; each knows the ids that the others
    rewrote."""

    fleet_key_file: Annotated[OperatorPath | None, Becomes("quietrelay-fleet.service")] = None
    """File on your machine with what those relays know each other by: one line, 32 characters and more, as
    `openssl rand -base64 33` writes."""

    fleet_port: Annotated[int, Field(ge=1024, le=65535), Becomes("quietrelay-fleet.service")] = 4310
    """TCP port on which they ask each other."""

    @model_validator(mode="after")
    def _is_a_fleet_with_all_that_takes(self) -> Self:
        if self.fleet and not (self.fleet_key_file and self.ids_domain and self.ids_known_days):
            raise ValueError(
                "fleet: its relays need a key and a name for ids in common, and to know ids; "
                "give fleet_key_file and ids_domain, and leave ids_known_days at a number"
            )
        if self.fleet_key_file and not self.fleet:
            raise ValueError("fleet_key_file: name the relays that have it in fleet, or drop it")
        return self

    def name_in_ids(self, hostname: str) -> str:
        """Tell what takes the place of homes' names.

        :param hostname: the relay's fully qualified name
        """
        return self.ids_domain or hostname

    @field_validator("vouched_headers")
    @classmethod
    def _may_leave_as_they_are(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[A-Za-z0-9_.-]{2,}\*?", name):
                raise ValueError(f"{name!r} is no header's name; write one like X-Ticket, or X-Bugzilla-*")
            pattern = name.replace("*", ".*")
            if own := [
                one for one in rules.Fates(utc=True).own_rules if re.fullmatch(pattern, one, re.IGNORECASE)
            ]:
                raise ValueError(f"{name} would let out {', '.join(own)} as it came; leave it out")
        return names

    @property
    def fates(self) -> rules.Fates:
        """Which headers leave, and which go."""
        return rules.Fates(
            self.vouched_headers, self.dropped_headers, self.unknown_headers == "kept", self.date == "utc"
        )
