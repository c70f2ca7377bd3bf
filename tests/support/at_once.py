"""Many things at the same time: what tests do with hosts is mostly waiting for them."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

# The server outside has one connection for all, which carries ten sessions (sshd_config(5)).
AT_ONCE = 8

Thing = TypeVar("Thing", bound=Hashable)
Result = TypeVar("Result")


def at_once(
    act: Callable[[Thing], Result], things: Iterable[Thing], limit: int = AT_ONCE
) -> dict[Thing, Result]:
    """Do something with many things at the same time.

    :param limit: with how many
    :returns: each with what came of it, in their order
    :raises Exception: the first thing's, if one raised, when all have ended
    """
    wanted = list(things)
    with ThreadPoolExecutor(limit) as pool:
        return dict(zip(wanted, pool.map(act, wanted), strict=True))


@contextmanager
def meanwhile(works: Iterable[Callable[[], object]], ended: threading.Event) -> Iterator[None]:
    """Have all of these done in threads of their own while something else is.

    :param works: each returns soon after the end
    :param ended: is set at the end
    """
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
