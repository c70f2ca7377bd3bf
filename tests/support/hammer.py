"""People who log in again and again, while something happens to whoever knows their passwords."""

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from tests.support.at_once import meanwhile
from tests.support.bed import Account, Endpoint, Relay
from tests.support.smtp import MailProgram

PATIENCE = 30.0  # seconds


class Attempt(NamedTuple):
    """A login, and what came of it."""

    relay: Relay
    began: float
    """Reading of time.monotonic()."""
    seconds: float
    """From AUTH to the reply."""
    code: int
    """The reply's; 0 where the connection broke."""


class Attempts:
    """All attempts so far."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        """Begin with none."""
        self.all: list[Attempt] = []
        self.ended = threading.Event()
        self._relays = relays
        self._more = threading.Condition()

    def add(self, attempt: Attempt) -> None:
        """Note one."""
        with self._more:
            self.all.append(attempt)
            self._more.notify_all()

    def wait_for(self, code: int, times: int = 1) -> None:
        """Wait until so many logins that begin from now on are answered so, on each relay."""
        now = time.monotonic()

        def seen() -> bool:
            counted = Counter(one.relay for one in self.all if one.began > now and one.code == code)
            return all(counted[relay] >= times for relay in self._relays)

        with self._more:
            assert self._more.wait_for(seen, PATIENCE), f"{code} is not seen everywhere: {self.codes()}"

    def codes(self) -> dict[int, int]:
        """Count the replies by their code."""
        return dict(Counter(one.code for one in self.all))

    def slowest(self) -> float:
        """Tell how long the slowest reply took, in seconds."""
        return max(one.seconds for one in self.all)


@contextmanager
def hammering(
    program: MailProgram, endpoints: Sequence[Endpoint], account: Account, people: int = 3
) -> Iterator[Attempts]:
    """Have this many people log in at each endpoint, over and over, each time on a new connection."""
    attempts = Attempts([*dict.fromkeys(endpoint.relay for endpoint in endpoints)])

    def log_in_again_and_again(endpoint: Endpoint) -> None:
        while not attempts.ended.is_set():
            attempts.add(attempt(program, endpoint, account))

    works = [partial(log_in_again_and_again, endpoint) for endpoint in endpoints for _ in range(people)]
    with meanwhile(works, attempts.ended):
        yield attempts


def attempt(program: MailProgram, endpoint: Endpoint, account: Account) -> Attempt:
    """Log in once, and take the time."""
    began = time.monotonic()
    try:
        with program.open_secure(endpoint) as conversation:
            began = time.monotonic()
            code = conversation.log_in_by_plain(account).code
            return Attempt(endpoint.relay, began, time.monotonic() - began, code)
    except (OSError, smtplib.SMTPException):
        return Attempt(endpoint.relay, began, time.monotonic() - began, 0)
