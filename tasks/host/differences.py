"""What of a host is otherwise than it is wanted, told by the operations that find it, line by line.

An operation decides from facts whether it has something to do. Where it has, it tells here what it found,
before it yields a command: a plan runs it so far. So a difference that is shown is one that a run mends, and
none is looked for twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pyinfra import host
from pyinfra.api import Host
from pyinfra.context import ctx_host


class Difference(NamedTuple):
    """One thing that is otherwise than it is wanted."""

    what: str
    """What one would look at: a path, and what in that file; a unit; ``package`` and its name."""
    words: str
    """How it is otherwise."""
    follows: tuple[str, ...] = ()
    """What it is a mere consequence of, where that differs too."""
    mended: bool = True
    """Whether a run mends it."""

    @property
    def line(self) -> str:
        """Say it."""
        return f"{self.what}: {self.words}" if self.words else self.what


_told: "WeakKeyDictionary[Host, dict[str | None, list[Difference]]]" = WeakKeyDictionary()


def tell(what: str, words: str, follows: Iterable[str] = (), mended: bool = True) -> None:
    """Tell of one, of the host that is being prepared; see `Difference`."""
    if not ctx_host.isset() or host.state.is_executing:  # type: ignore[no-untyped-call]
        return
    by_operation = _told.setdefault(ctx_host.get(), {})  # type: ignore[no-untyped-call]
    by_operation.setdefault(host.current_op_hash, []).append(Difference(what, words, tuple(follows), mended))


class Days(NamedTuple):
    """For how many days a certificate is valid."""

    left: int
    least: int
    """Fewer are a fault."""


_days: "WeakKeyDictionary[Host, Days | None]" = WeakKeyDictionary()


def seen(days: Days | None) -> None:
    """Say that all of the host has been looked at, and for how many days its certificate is valid."""
    _days[ctx_host.get()] = days  # type: ignore[no-untyped-call]


def of(about: Host, due: Mapping[str, str]) -> list[Difference]:
    """Give what was told of a host, without mere consequences.

    :param due: operations that have something to do, by their hash, with their names: where one told nothing,
        its name has to do
    """
    told = _told.get(about, {})
    unsaid = (Difference(name, "is still to be done") for key, name in due.items() if key not in told)
    found = [one for some in told.values() for one in some] + list(unsaid)
    return list(dict.fromkeys(causes(found)))


def days_of(about: Host) -> tuple[bool, Days | None]:
    """Tell whether all of a host has been looked at, and for how many days its certificate is valid."""
    return about in _days, _days.get(about)


def causes(found: list[Difference]) -> Iterator[Difference]:
    """Leave out what follows from another."""
    differing = {one.what.partition(" ")[0] for one in found}
    yield from (one for one in found if differing.isdisjoint(one.follows))


def rights(found: Mapping[str, Any], group: str, mode: str, user: str | None = "root") -> str:
    """Say how a file's owner and mode are otherwise; nothing where they are not.

    :param found: pyinfra's fact of the file
    :param user: owner; None for whoever it is
    """
    wanted = {"owner": ("user", user), "group": ("group", group), "mode": ("mode", mode)}
    return ", ".join(
        f"its {what} is {found[key]}, not {value}"
        for what, (key, value) in wanted.items()
        if value is not None and str(found[key]) != value
    )
