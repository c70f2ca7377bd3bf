"""The corpus's files say what they have to, and the rules do what the files say."""

import re
from pathlib import Path

import pytest

from tasks.settings import Relay
from tests.support.corpus import SAMPLES, Sample, parse
from tests.support.corpus.__main__ import picture
from tests.support.secrets_of import found, spellings
from tests.unit.examples import relay_with
from tests.unit.header_tables import checked, inline, looked_up

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "privacy.md"
# What the corpus takes for public names ends as its relay does.
RELAY = relay_with(relay=Relay(hostname="mx1.relay.test"))
IPV4, IPV6 = "192.0.2.77", "2001:db8::77"
VALUES = {
    "token": "qr1234x5x",
    "relay": RELAY.hostname,
    "reader": "reader@outside.test",
    "host": "workbench-7f3a",
    "ipv4": IPV4,
    "ipv6": IPV6,
    "ipv6_long": "2001:0db8:0000:0000:0000:0000:0000:0077",
    "hex": "4d0200c0",
    "login": "backslash",
}
SECRETS = [*spellings(IPV4), *spellings(IPV6), VALUES["host"], VALUES["login"]]
DROPPED_BY_POSTFIX = r"(?i)(bcc|resent-bcc|return-path|content-length)\s*:"  # message_drop_headers


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_arrives_tells_nothing(sample: Sample) -> None:
    assert found(sample.delivered(VALUES), SECRETS) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_rules_make_what_arrives_of_what_was_sent(sample: Sample) -> None:
    sent = sample.sent(VALUES).decode().replace("\r\n", "\n")
    head, end, body = sent.removesuffix("\n").partition("\n\n")  # one has headers and no body
    body += "\n"
    headers = [
        header for header in re.split(r"\n(?![ \t])", head) if not re.match(DROPPED_BY_POSTFIX, header)
    ]
    kept = [after for header in headers if (after := checked(header, RELAY)) is not None]
    lines = [body_line(line) for line in body.split("\n")]
    assert "\n".join(kept) + end + "\n".join(lines) == sample.delivered(VALUES).decode()


def body_line(line: str) -> str:
    """Put a line of the body through the table for those."""
    found = looked_up(inline(RELAY, "quietrelay_receipts"), line)
    return found.removeprefix("REPLACE ") if found else line


def test_corpus_tells_on_users_in_every_way_before() -> None:
    told = {secret for sample in SAMPLES for secret in found(sample.sent(VALUES), SECRETS)}
    assert told >= {IPV4, IPV6, VALUES["ipv6_long"], VALUES["hex"], VALUES["host"], VALUES["login"]}


@pytest.mark.parametrize(
    ("text", "told"), [(" From: me\n", "who writes so"), ("# me\n From: me\nTo: you\n", "line 3")]
)
def test_file_that_cannot_be_read_is_an_error(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse("mine", text)


@pytest.mark.parametrize(
    "written",
    [
        *("192.0.2.77", "[192.0.2.77]", "192-0-2-77.dyn.example", "77.2.0.192.in-addr.arpa", "c000024d"),
        *("$4D0200C0@", "3221226061", "::ffff:192.0.2.77", "2001:DB8:0:0:0:0:0:77", "IPv6:2001:db8::77"),
    ],
)
def test_address_is_found_however_it_is_written(written: str) -> None:
    assert found(f"Subject: from {written} to you".encode(), SECRETS)
    assert found(f"Subject: from\r\n\t{written}".encode(), SECRETS)


def test_longer_words_are_not_taken_for_secrets() -> None:
    assert found(b"192.0.2.771 x2001:db8::77 2001:db8::770 backslashes workbench-7f3ab", SECRETS) == []


def test_documented_message_is_what_the_corpus_says() -> None:
    (sample,) = [sample for sample in SAMPLES if sample.name == "horde"]
    assert picture(sample) in PAGE.read_text(encoding="utf-8"), "run: python -m tests.support.corpus horde"
