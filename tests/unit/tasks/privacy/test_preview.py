"""What is shown of a message's fate is what the relay's tables make of it."""

import pytest
from hypothesis import given

from tasks.privacy.preview import Fate, fates, lines, parted
from tasks.settings import Privacy
from tests.support.corpus import SAMPLES, Sample
from tests.support.generated import HEADERS, Header
from tests.unit.examples import HOSTNAME, relay_with
from tests.unit.header_tables import checked
from tests.unit.tasks.privacy.test_generated_headers import often
from tests.unit.tests.test_corpus_data import RELAY, VALUES

PRIVACIES = [
    Privacy(ids_known_days=None),
    Privacy(ids_known_days=None, unknown_headers="kept", date="utc"),
    Privacy(
        ids_known_days=None, vouched_headers=("X-Mailer", "X-Our-*"), dropped_headers=("X-Ori*", "List-*")
    ),
]


def shown(message: bytes, privacy: Privacy, hostname: str = HOSTNAME) -> list[Fate]:
    """Give the fates of a message's own headers."""
    return fates(message, privacy, hostname)[0][1:]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_is_shown_of_the_corpus_is_what_arrives(sample: Sample) -> None:
    found = shown(sample.sent(VALUES), Privacy(ids_known_days=None), RELAY.hostname)
    leaving = "".join(f"{fate.after}\n" for fate in found if fate.after).encode("latin-1")
    assert sample.delivered(VALUES).startswith(leaving)


@often
@given(HEADERS)
def test_what_is_shown_is_what_the_tables_make(headers: list[Header]) -> None:
    message = "".join(header.sent for header in headers).encode() + b"\r\nbody\r\n"
    for privacy in PRIVACIES:
        for fate in shown(message, privacy):
            before, after = (text.encode("latin-1").decode(errors="surrogateescape") for text in fate[:2])
            assert (checked(before, relay_with(privacy=privacy)) or "") == after
            assert fate.why


def test_a_strangers_id_is_shown_to_stay() -> None:
    (fate,) = shown(b"In-Reply-To: <a@pc>\n\n", Privacy())
    assert fate.before == fate.after
    assert "stranger's" in fate.why


def test_the_relays_own_header_comes_first() -> None:
    for form, told in (("anonymous", "by mx1.example.org"), ("classic", "Authenticated sender")):
        own = fates(b"Subject: a\n\n", Privacy(trace=form), HOSTNAME)[0][0]
        assert not own.before
        assert told in own.after


def test_a_message_is_parted_as_postfix_does() -> None:
    assert parted("From me Thu\nA: 1\n  2\nB : 3\n\nC: 4") == (
        ["X-Mailbox-Line: From me Thu", "A: 1\n  2", "B : 3"],
        "C: 4",
    )
    assert parted("A: 1\nno header\nB: 2") == (["A: 1"], "no header\nB: 2")
    assert parted("no header") == ([], "no header")


def test_lines_have_their_sign() -> None:
    assert list(lines(Fate("A: 1\n 2", "A: 3", ""))) == [("-", "A: 1"), ("-", " 2"), ("+", "A: 3")]
    assert list(lines(Fate("A: 1\n 2", "A: 1\n 2", ""))) == [(" ", "A: 1"), (" ", " 2")]
    assert list(lines(Fate("A: 1", "", ""))) == [("-", "A: 1")]
