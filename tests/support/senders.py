"""Users who send one message after the other while something happens to their relay."""

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from tests.support.at_once import meanwhile
from tests.support.bed import Account, Endpoint, TestBed
from tests.support.mail import Maildir, letter, outside_address, settle
from tests.support.smtp import MailProgram

PATIENCE = 60.0  # seconds


class Refusal(NamedTuple):
    """A message that a user did not get rid of."""

    endpoint: Endpoint
    code: int
    """Of the reply; 0 where there was none, as for a connection that was refused or broke."""
    words: str
    moment: float
    """Reading of time.monotonic()."""


class Senders:
    """Users who send, each message on a new connection."""

    def __init__(self, program: MailProgram, account: Account, token: str) -> None:
        """Nobody sends yet.

        :param token: which all of their messages have
        """
        self.taken: list[str] = []
        self.refused: list[Refusal] = []
        self.ended = threading.Event()
        self._program, self._account, self._token = program, account, token
        self._more = threading.Condition()
        self._sent: Counter[str] = Counter()

    def send(self, endpoint: Endpoint, name: str) -> None:
        """Send one message after the other, until all end."""
        while not self.ended.is_set():
            word = f"{self._token}-{name}-{self._sent[name]}."
            code, words = self._sent_one(endpoint, word)
            with self._more:
                self._sent[name] += 1
                if code == 250:
                    self.taken.append(word)
                else:
                    self.refused.append(Refusal(endpoint, code, words, time.monotonic()))
                self._more.notify_all()

    def wait(self, messages: int = 2) -> None:
        """Wait until each has sent so many from now on; the first of them may have been on its way."""
        with self._more:
            now = Counter(self._sent)
            assert self._more.wait_for(
                lambda: all(self._sent[name] >= now[name] + messages for name in now), PATIENCE
            )

    def arrived_once(self, test_bed: TestBed) -> None:
        """See that each message that was taken has arrived, exactly once."""
        outside = test_bed.others["outside"]
        for relay in test_bed.relays:
            settle(self._token, relay.remote, outside)
        arrived = b"\n".join(Maildir(outside).arrived(self._token, at_least=len(self.taken)))
        counts = {word: arrived.count(f"Subject: Letter {word}".encode()) for word in self.taken}
        assert counts == dict.fromkeys(self.taken, 1)

    def _sent_one(self, endpoint: Endpoint, word: str) -> tuple[int, str]:
        try:
            with self._program.open_secure(endpoint) as conversation:
                reply = conversation.log_in_by_plain(self._account)
                if reply.code == 235:
                    reply = conversation.envelope("alice@relay.test", outside_address(self._token))
                if not reply.refuses:
                    reply = conversation.hand_in(letter(word).as_bytes())
                return reply.code, reply.text.decode(errors="replace")
        except (OSError, smtplib.SMTPException, AssertionError) as error:
            return 0, repr(error)


@contextmanager
def sending(
    program: MailProgram, endpoints: Sequence[Endpoint], account: Account, token: str, people: int
) -> Iterator[Senders]:
    """Have this many people send at each endpoint, over and over; at the end all have sent their last."""
    senders = Senders(program, account, token)
    works = [
        partial(senders.send, end, f"{end.relay.name}-{end.port}-{number}")
        for end in endpoints
        for number in range(people)
    ]
    with meanwhile(works, senders.ended):
        yield senders
