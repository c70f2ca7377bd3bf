"""Measures what rewriting costs, with and without it side by side, on each port.

python -m bench.privacy --inventory inventories/lab.py     on expendable relays; three minutes, one table

A burst of messages is handed in over several connections at once and timed until the last has left the relay.
Where the machine has other work, the relay's processor time for a message says more than messages a second.
Both columns are the same relay within the same minute; «without» is what master.cf says with our rules taken
out: Postfix's own cleanup, and no detour on port 25. The relay is put back at the end.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lab.topology import user_named
from tests.support.bed import Account, Endpoint, Relay, TestBed, survey
from tests.support.client_host import InventoryClient
from tests.support.corpus import SAMPLES
from tests.support.corpus_run import SENDER, Case, cases
from tests.support.home import homes
from tests.support.inventory import InventoryError
from tests.support.mail import Maildir, settle
from tests.support.smtp import Conversation, MailProgram

USER = Account(user_named("alice").uid, user_named("alice").password)
CONNECTIONS = 4
BURST = 200  # messages
ROUNDS = 3

WITHOUT = """
cp -p /etc/postfix/master.cf /root/master.cf.bench
postconf -PX submission/inet/cleanup_service_name submissions/inet/cleanup_service_name
postconf -PX smtp/inet/smtpd_data_restrictions
"""
# Not a reload: a process that takes a connection while it is told to end keeps others from taking any.
RESTART = "systemctl reset-failed postfix 'postfix@*' 2>/dev/null; systemctl restart postfix"
BACK = "mv /root/master.cf.bench /etc/postfix/master.cf"


@contextmanager
def without_rewriting(relay: Relay) -> Iterator[None]:
    """Take our rules out of a relay, and put them back."""
    relay.remote.run(f"set -e\n{WITHOUT}\n{RESTART}")
    try:
        yield
    finally:
        relay.remote.run(f"{BACK}\n{RESTART}")


class Cost(NamedTuple):
    """What a burst cost."""

    rate: float
    """Messages a second."""
    processor: float
    """The relay's time for a message, in milliseconds."""


def processor_time(relay: Relay) -> float:
    """Tell what time all of a relay's processes have had, in milliseconds (cgroup v2, cpu.stat)."""
    return int(relay.remote.run("sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat")) / 1000


def burst(program: MailProgram, endpoint: Endpoint, client: InventoryClient, outside: Maildir) -> Cost:
    """Hand in a burst, and tell what it cost until it had left the relay."""
    sent: list[Case] = []
    while len(sent) < BURST:
        sent += cases([endpoint], homes(client.remote)[0], USER.login, samples=SAMPLES)
    shares = [sent[start:BURST:CONNECTIONS] for start in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        conversations = list(pool.map(lambda _: program.log_in(endpoint, USER), shares))
        spent, began = processor_time(endpoint.relay), time.monotonic()
        list(pool.map(lambda one: hand_in(*one), zip(conversations, shares, strict=True)))
    settle(SENDER, endpoint.relay.remote)
    seconds = time.monotonic() - began
    spent = processor_time(endpoint.relay) - spent
    settle(SENDER, outside.remote)
    return Cost(BURST / seconds, spent / BURST)


def hand_in(conversation: Conversation, share: list[Case]) -> None:
    """Hand in a connection's share, each message to one reader."""
    with conversation:
        for case in share:
            reply = conversation.submit(
                SENDER, case.recipients[:1], case.sample.sent(case.values), " SMTPUTF8"
            )
            assert reply.code == 250, reply


def measured(test_bed: TestBed) -> Iterator[tuple[str, int, Cost, Cost]]:
    """Measure every port of every relay, in turns: without our rules, and with them."""
    assert isinstance(test_bed.client_host, InventoryClient)
    client, outside = test_bed.client_host, Maildir(test_bed.others["outside"])
    program = MailProgram(client)
    for endpoint in (one for one in test_bed.endpoints if one.is_first and one.takes_logins):
        with_rules: list[Cost] = []
        without_rules: list[Cost] = []
        for _ in range(ROUNDS):
            with_rules.append(burst(program, endpoint, client, outside))
            with without_rewriting(endpoint.relay):
                without_rules.append(burst(program, endpoint, client, outside))
        outside.clean()
        yield endpoint.relay.name, endpoint.port, middle(without_rules), middle(with_rules)


def middle(costs: list[Cost]) -> Cost:
    """Give the middle of the rounds."""
    return Cost(median(cost.rate for cost in costs), median(cost.processor for cost in costs))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure what rewriting costs, in messages a second.")
    parser.add_argument("--inventory", default="inventories/lab.py")
    inventory = parser.parse_args().inventory
    try:
        test_bed = survey(inventory, Path(__file__).parent.parent, None)
    except InventoryError as error:
        sys.exit(str(error))
    if missing := {"expendable", "client", "outside", "directory"} - test_bed.roles:
        sys.exit(f"{inventory} lacks {', '.join(sorted(missing))}; measure on the lab")
    try:
        print("| relay | port | messages/s, without / with | | processor, ms, without / with | |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for relay, port, without, rewriting in measured(test_bed):
            print(
                f"| {relay} | {port} "
                f"| {without.rate:.0f} / {rewriting.rate:.0f} | {rewriting.rate / without.rate:.2f} "
                f"| {without.processor:.1f} / {rewriting.processor:.1f} "
                f"| {rewriting.processor / without.processor:.2f} |",
                flush=True,
            )
    finally:
        test_bed.close()


if __name__ == "__main__":
    main()
