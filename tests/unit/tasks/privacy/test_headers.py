"""Which headers leave: those that are vouched for, and no others."""

from pathlib import Path

import pytest

from tasks.privacy.headers import GOING, NAMING, VOUCHED, names
from tasks.settings import Privacy, Settings, SettingsError
from tests.unit.examples import relay_with
from tests.unit.header_tables import PLAIN, checked, guard_as_file, looked_up

KEPT = relay_with(privacy=Privacy(unknown_headers="kept"))
# Names of headers in 281,125 public messages, each in one of a thousand or more, and how many have it.
COMMON = dict(
    line.split("\t") for line in Path(__file__).with_name("common_names.tsv").read_text().splitlines()
)
# IANA's registry of message headers, those for mail and MIME, as of 2025-08-25.
REGISTERED = Path(__file__).with_name("registered_names.txt").read_text().split()


def stands_in(name: str, tables: tuple[str, ...]) -> bool:
    """Tell whether a name stands in a table, by itself or below one with a *."""
    return any(
        name.lower().startswith(one[:-1].lower()) if one.endswith("*") else name.lower() == one.lower()
        for one in tables
    )


def spellings(name: str) -> list[str]:
    """Write a name as programs may."""
    name = name.replace("*", "Anything")
    return [name, name.upper(), name.lower(), f"{name} ", f"{name}\t"]


@pytest.mark.parametrize("name", names(VOUCHED, NAMING))
def test_what_is_vouched_for_leaves_as_it_was_written(name: str) -> None:
    for written in spellings(name):
        for text in (f"{written}: <it@example.org>", f"{written}:\n <it@example.org>", f"{written}:"):
            assert checked(text) == text


@pytest.mark.parametrize("settings", [PLAIN, KEPT], ids=["dropped", "kept"])
@pytest.mark.parametrize("name", names(GOING))
def test_what_tells_goes_whatever_becomes_of_the_unknown(name: str, settings: Settings) -> None:
    for written in spellings(name):
        for text in (f"{written}: it", f"{written}:\n it", f"{written}:"):
            assert checked(text, settings) is None


UNKNOWN = [
    "Nobody-Knows",
    "X-Brand-New-Client-Address",
    "Recieved",
    ">Received",
    "X-Received-By",
    "XSubject",
    "Subject-IP",
    "Subject Subject",
    "List-Client-IP",
    "!",
    "Ünknown",
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_knows_goes(name: str) -> None:
    for text in (f"{name}: it", f"{name}:\n it", f"{name}:", f"{name} : it"):
        assert checked(text) is None
        assert checked(text, KEPT) == text


def test_bytes_that_are_no_text_hide_no_header() -> None:
    for text in ("X-\udcff\udcfe: it", "\udcffSubject: it", "X-\x01: it"):
        assert checked(text) is None
    assert checked("Subject: \udcff\udcfe\x01") == "Subject: \udcff\udcfe\x01"


@pytest.mark.parametrize("name", COMMON)
def test_every_header_that_is_common_in_public_mail_has_been_judged(name: str) -> None:
    leaves, goes = stands_in(name, names(VOUCHED, NAMING)), stands_in(name, names(GOING))
    assert leaves != goes or name in ("received", "mime-version")


@pytest.mark.parametrize("name", REGISTERED)
def test_every_registered_header_has_been_judged(name: str) -> None:
    leaves, goes = stands_in(name, names(VOUCHED, NAMING)), stands_in(name, names(GOING))
    assert leaves != goes or name in ("Received", "MIME-Version")


@pytest.mark.parametrize(
    ("written", "leaves"),
    [
        ("MIME-Version: 1.0", "MIME-Version: 1.0"),
        ("mime-version:1.0 ", "mime-version:1.0 "),
        (r"Mime-Version: 1.0 (Mac OS X Mail 16.0 \(3774.600.62\))", "MIME-Version: 1.0"),
        ("MIME-Version: 1.0\n (made at kitchen-pc)", "MIME-Version: 1.0"),
        ("MIME-Version: (kitchen-pc) 1.0", "MIME-Version: 1.0"),
        ("MIME-Version: 1.(kitchen-pc)0", "MIME-Version: 1.0"),
        ("MIME-Version: kitchen-pc", "MIME-Version: 1.0"),
        ("MIME-Version:", "MIME-Version: 1.0"),
    ],
)
@pytest.mark.parametrize("settings", [PLAIN, KEPT], ids=["dropped", "kept"])
def test_mime_version_leaves_as_its_number_alone(written: str, leaves: str, settings: Settings) -> None:
    assert checked(written, settings) == leaves


@pytest.mark.parametrize("unknown", ["dropped", "kept"])
def test_an_inventory_has_the_last_word(unknown: str) -> None:
    privacy = {"unknown_headers": unknown, "vouched_headers": ("X-Mailer", "X-Our*"), "dropped_headers": ()}
    settings = relay_with(privacy=Privacy.model_validate(privacy))
    assert checked("X-Mailer: it", settings) == "X-Mailer: it"
    assert checked("X-Ours: it", settings) == "X-Ours: it"
    privacy["dropped_headers"] = ("Organization", "X-Our-*")
    settings = relay_with(privacy=Privacy.model_validate(privacy))
    assert checked("X-Ours: it", settings) == "X-Ours: it"
    for dropped in ("X-Our-Host: it", "Organization: it"):
        assert checked(dropped, settings) is None
        assert (looked_up(guard_as_file(settings), dropped) or "").startswith("REJECT 4.3.0 ")


@pytest.mark.parametrize(
    "name", ["*", "Sub*", "content-*", "DKIM-*", "X Y", "X:", "", "X-[0-9]", "Message-ID"]
)
def test_headers_that_mail_needs_cannot_be_dropped(name: str) -> None:
    with pytest.raises(SettingsError, match="dropped_headers"):
        Privacy(dropped_headers=(name,))


@pytest.mark.parametrize("name", ["*", "X", "Received", "Rec*", "Message-ID", "mime-*", "X Y", "X:", ""])
def test_what_tells_in_its_value_cannot_be_vouched_for(name: str) -> None:
    with pytest.raises(SettingsError, match="vouched_headers"):
        Privacy(vouched_headers=(name,))


def test_the_guard_lets_out_what_is_vouched_for_alone() -> None:
    guard = guard_as_file(PLAIN)
    for name in names(VOUCHED, NAMING):
        assert looked_up(guard, f"{name.replace('*', 'Any')}: it") is None
    for name in (*names(GOING), *UNKNOWN):
        answer = looked_up(guard, f"{name.replace('*', 'Any')}: it")
        assert answer is not None
        assert answer.startswith("REJECT 4.3.0 ")
