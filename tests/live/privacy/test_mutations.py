"""Mistakes in the rules: each of them, once made, turns the corpus red."""

from collections.abc import Iterator

import pytest

from lab.topology import user_named
from tests.support import tampering
from tests.support.bed import Account, TestBed
from tests.support.client_host import InventoryClient
from tests.support.corpus import SAMPLES
from tests.support.corpus_run import cases, faults_of
from tests.support.home import homes
from tests.support.mail import Maildir
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

USER = Account(user_named("backslash").uid, user_named("backslash").password)

# In the order in which they stand in the file.
RULES = [
    "our trace header",
    "other trace headers",
    "MIME-Version",
    "what nobody vouches for",
]
GUARD = ["plain MIME-Version", "ids that tell nothing", "what is vouched for", "all else"]
# Messages that need every rule.
TELLING = {
    *("all-counts", "apple-mail", "endless-thread", "imitation", "long-thread", "order-and-folding"),
    *("roundcube", "telling-values"),
}


class Mutants:
    """Relays with a mistake."""

    def __init__(
        self, test_bed: TestBed, client: InventoryClient, program: MailProgram, outside: Maildir
    ) -> None:
        """Take all relays, and the port that answers at once."""
        self.relays = test_bed.relays
        self._endpoints = [
            endpoint for endpoint in test_bed.endpoints if endpoint.port == 587 and endpoint.is_first
        ]
        self._home, self._program, self._outside = homes(client.remote)[0], program, outside

    def leaks(self) -> set[str]:
        """Send the corpus through every relay, and tell which of them let something out that must not be."""
        return {
            relay for relay, found in self._faults() if [one for one in found if "was refused" not in one]
        }

    def refusing(self) -> set[str]:
        """Send the corpus through every relay, and tell which of them refused something of it."""
        return {relay for relay, found in self._faults() if [one for one in found if "was refused" in one]}

    def _faults(self) -> Iterator[tuple[str, list[str]]]:
        telling = [sample for sample in SAMPLES if sample.name in TELLING]
        sent = cases(self._endpoints, self._home, USER.login, samples=telling)
        for case, found in faults_of(sent, self._program, USER, self._outside).items():
            yield case.relay.name, found

    @property
    def all(self) -> set[str]:
        """All relays' names."""
        return {relay.name for relay in self.relays}


@pytest.fixture(scope="module")
def mutants(
    test_bed: TestBed, client: InventoryClient, mail_program: MailProgram, outside: Maildir
) -> Mutants:
    """Give the relays, still without a mistake."""
    return Mutants(test_bed, client, mail_program, outside)


def test_every_rule_is_mutated(mutants: Mutants) -> None:
    for relay in mutants.relays:
        found = tampering.rules(relay)
        assert len(found) == len(RULES)
        assert len(tampering.guard_rules(tampering.guard(relay))) == len(GUARD)


@pytest.mark.parametrize("rule", RULES)
def test_corpus_turns_red_without_a_rule(mutants: Mutants, rule: str) -> None:
    mistake = tampering.without(RULES.index(rule))
    with tampering.edited(mutants.relays, edit_rules=mistake, edit_guard=tampering.none):
        assert mutants.leaks() == mutants.all


@pytest.mark.parametrize("rule", RULES)
def test_guard_stops_what_a_missing_rule_lets_through(mutants: Mutants, rule: str) -> None:
    with tampering.edited(mutants.relays, edit_rules=tampering.without(RULES.index(rule))):
        assert mutants.leaks() == set()


def test_corpus_turns_red_where_nobody_judges_ids(mutants: Mutants) -> None:
    with tampering.unjudged(mutants.relays):
        with tampering.edited(mutants.relays, edit_guard=tampering.none):
            assert mutants.leaks() == mutants.all
        assert mutants.leaks() == set()


@pytest.mark.parametrize("rule", [*range(len(GUARD) - 1)], ids=GUARD[:-1])
def test_mail_does_not_leave_without_a_rule_of_the_guard_that_lets_it_out(
    mutants: Mutants, rule: int
) -> None:
    with tampering.edited(mutants.relays, edit_guard=tampering.without(rule)):
        assert mutants.refusing() == mutants.all


def test_corpus_turns_red_without_the_rule_of_the_guard_that_stops_all_else(mutants: Mutants) -> None:
    # It shows only where the rules fail.
    mistake = tampering.without(RULES.index("what nobody vouches for"))
    with tampering.edited(mutants.relays, edit_rules=mistake, edit_guard=tampering.without(len(GUARD) - 1)):
        assert mutants.leaks() == mutants.all
