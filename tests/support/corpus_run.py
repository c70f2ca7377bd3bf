"""Sends the corpus and judges what arrives: which message, from where, over which port, under which name."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, ip_address

from lab.process import as_text
from tests.support.bed import Account, Endpoint, Relay
from tests.support.corpus import SAMPLES, Sample
from tests.support.home import Home
from tests.support.mail import Maildir, new_token, outside_address, settle
from tests.support.secrets_of import found
from tests.support.smtp import MailProgram

SENDER = "somebody@relay.test"
HOST = "workbench-7f3a"  # what the user's computer calls itself in what its programs write
AT_ONCE = 8  # conversations

# What a client may call itself, and which words of it would tell. {relay} is the relay's own name.
HELOS = {
    "kitchen-pc.fritz.box": ("kitchen-pc",),
    "kitchen-pc": ("kitchen-pc",),
    "[192.168.77.5]": ("192.168.77.5",),
    "[IPv6:fd00:77::5]": ("fd00:77::5",),
    "192.168.77.6": ("192.168.77.6",),
    "fd00:77:0:0:0:0:0:6": ("fd00:77:0:0:0:0:0:6", "fd00:77::6"),
    "by.decoy.test": ("by.decoy", "decoy"),
    "by {relay} (Postfix) id 4ABCDEFGH; decoy": ("4ABCDEFGH", "decoy"),
    "decoy) by {relay} (Postfix": ("decoy",),
    "decoy;by;{relay}": ("decoy",),
    "_decoy_": ("_decoy_",),
    "decoy$1${{2}}\\1%n": ("decoy",),
    "k" * 255: ("k" * 255, "k" * 200),
    "küche.example": ("küche", "k??che"),
    "кухня.пример": ("кухня",),
    "localhost": (),
}
DAYS, MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
DATE = rf"(?:{DAYS}), +\d{{1,2}} (?:{MONTHS}) \d{{4}} \d\d:\d\d:\d\d [+-]\d{{4}}(?: \([A-Z]+\))?"
ENVELOPES = ("one", "many", "hidden")


@dataclass(frozen=True)
class Case:
    """A message on its way from a home through an endpoint to its readers."""

    sample: Sample
    endpoint: Endpoint
    home: Home
    helo: str
    envelope: str
    utf8: bool
    login: str
    batch: str
    """What the tokens of all that is sent at once begin with."""
    token: str

    @property
    def relay(self) -> Relay:
        """The relay that takes it."""
        return self.endpoint.relay

    @property
    def recipients(self) -> list[str]:
        """Those whom the envelope names."""
        marks = ("a", "b", "c") if self.envelope == "many" else ("a",)
        return [outside_address(f"{self.token}{mark}") for mark in marks]

    @cached_property
    def values(self) -> Mapping[str, str]:
        """What the words between % stand for."""
        return {
            "token": self.token,
            "relay": self.relay.hostname,
            "reader": "nobody@outside.test" if self.envelope == "hidden" else self.recipients[0],
            "host": HOST,
            "ipv4": self.home.ipv4,
            "ipv6": self.home.ipv6,
            "ipv6_long": ip_address(self.home.ipv6).exploded,
            "hex": IPv4Address(self.home.ipv4).packed[::-1].hex(),
            "login": self.login,
        }

    @property
    def secrets(self) -> list[str]:
        """What it must not tell."""
        return [*self.home.secrets, *HELOS[self.helo], HOST, self.login]

    def __str__(self) -> str:
        envelope = f"{self.envelope} reader(s){' in UTF-8' if self.utf8 else ''}"
        return f"{self.sample} from a {self.home} home by {self.endpoint} as {self.helo[:40]!r} to {envelope}"


def cases(
    endpoints: Sequence[Endpoint], home: Home, login: str, start: int = 0, samples: Iterable[Sample] = SAMPLES
) -> list[Case]:
    """Send every sample through every endpoint, while names, envelopes and encodings take turns.

    :param start: which turn to begin with; another one gives other combinations
    """
    batch, helos = new_token(), list(HELOS)
    made = []
    for row, endpoint in enumerate(endpoints):
        for column, sample in enumerate(samples):
            turn = start + 5 * row + column
            made.append(
                Case(
                    sample,
                    endpoint,
                    home,
                    helo=helos[(start + row + column // 8) % len(helos)],
                    envelope=ENVELOPES[turn % 3],
                    utf8=turn % 2 == 1,
                    login=login,
                    batch=batch,
                    token=f"{batch}{row}x{column}x",
                )
            )
    return made


def faults_of(
    sent: Sequence[Case], program: MailProgram, account: Account, outside: Maildir
) -> dict[Case, list[str]]:
    """Send all of these, wait for them to arrive, and judge each; cases without a fault are not listed."""
    conversations: dict[tuple[Endpoint, str], list[Case]] = defaultdict(list)
    for case in sent:
        conversations[case.endpoint, case.helo].append(case)
    faults: dict[Case, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for refused in pool.map(
            lambda group: list(_converse(program, account, group)), conversations.values()
        ):
            for case, fault in refused:
                faults[case].append(fault)
    arrived = what_arrived(sent, outside)
    for case in sent:
        if case not in faults:
            faults[case] = judge_all(case, arrived)
    return {case: found for case, found in faults.items() if found}


def what_arrived(sent: Sequence[Case], outside: Maildir) -> dict[str, list[bytes]]:
    """Wait until nothing of it is on its way any more, and fetch it, sorted by readers."""
    batch = sent[0].batch
    for relay in {case.relay for case in sent}:
        settle(batch, relay.remote)
    settle(batch, outside.remote)
    return by_reader(outside.arrived(batch))


def judge_all(case: Case, arrived: Mapping[str, list[bytes]]) -> list[str]:
    """Tell what is wrong with what each reader got."""
    faults = []
    for reader in case.recipients:
        copies = arrived.get(reader, [])
        if len(copies) != 1:
            faults.append(f"{len(copies)} copies arrived")
        for raw in copies:
            faults += judge(raw, case.sample.delivered(case.values), case.relay, case.secrets)
    return faults


def _converse(program: MailProgram, account: Account, group: list[Case]) -> Iterator[tuple[Case, str]]:
    helo = group[0].helo.format(relay=group[0].relay.hostname)
    with program.log_in(group[0].endpoint, account, helo) as conversation:
        for case in group:
            options = " SMTPUTF8" if case.utf8 else ""
            reply = conversation.submit(SENDER, case.recipients, case.sample.sent(case.values), options)
            if reply.refuses:
                yield case, f"was refused: {reply}"


def by_reader(messages: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Sort messages by whom they were delivered to, as Postfix's virtual(8) notes on top."""
    sorted_out: dict[str, list[bytes]] = defaultdict(list)
    for raw in messages:
        reader = re.search(rb"^Delivered-To: (\S+)$", raw, re.MULTILINE)
        assert reader, raw[:200]
        sorted_out[as_text(reader[1])].append(raw)
    return sorted_out


def judge(raw: bytes, expected: bytes, relay: Relay, secrets: Sequence[str]) -> list[str]:
    """Tell what is wrong with a message as it arrived: it tells a secret, or something else was changed."""
    faults = [f"tells {secret!r}" for secret in found(raw, secrets)]
    above, trace, below = split_at_trace(raw, relay.hostname)
    if not trace:
        return [*faults, f"has no trace header of ours: {raw[:600]!r}"]
    if foreign := re.findall(
        rb"^(?!Return-Path|X-Original-To|Delivered-To|Received|\s)[^\n]+", above, re.MULTILINE
    ):
        faults.append(f"has {foreign} above our trace header")
    if above.count(b"\nReceived:") != 1:
        faults.append("has another trace header than the reader's above ours")
    if (sent := without_additions(below, expected, relay.hostname)) != expected:
        faults.append(f"was changed: {first_difference(sent, expected)}")
    return faults


def without_additions(below: bytes, expected: bytes, hostname: str) -> bytes:
    """Take away what the relay has to add (RFC 6409 8.2, 8.3), and say what it did not add.

    Where a message has been sent anew, that is about those headers (RFC 5322 3.6.6).
    """
    head = expected.partition(b"\n\n")[0]
    anew = "Resent-" if re.search(rb"^Resent-", head, re.MULTILINE | re.IGNORECASE) else ""
    wanted = {
        "Message-ID": rf"<\d{{14}}\.\w+@{re.escape(hostname)}>",
        "Date": DATE,
        "From": re.escape(SENDER),
    }
    for name, value in wanted.items():
        if not re.search(rf"^{anew}{name}:".encode(), head, re.MULTILINE | re.IGNORECASE):
            line = re.compile(rf"^{anew}{name}: {value}\n".encode(), re.MULTILINE | re.IGNORECASE)
            below, added = line.subn(b"", below, count=1)
            if not added:
                return f"it has no {anew}{name}".encode()
    return below


def split_at_trace(raw: bytes, hostname: str) -> tuple[bytes, bytes, bytes]:
    """Part a message at the relay's trace header, which has to be as RFC 5322 3.6.7 and 3.3 have it."""
    ours = rf"^Received: by {re.escape(hostname)} \(Postfix\) id [0-9A-Za-z]+; {DATE}\n"
    if at := re.search(ours.encode(), raw, re.MULTILINE):
        return raw[: at.start()], at[0], raw[at.end() :]
    return raw, b"", b""


def first_difference(got: bytes, expected: bytes) -> str:
    """Show the first line that differs."""
    lines = got.splitlines(keepends=True), expected.splitlines(keepends=True)
    for number, (one, other) in enumerate(zip(*lines, strict=False), 1):
        if one != other:
            return f"line {number} is {one!r} and not {other!r}"
    return f"{len(lines[0])} lines and not {len(lines[1])}"
