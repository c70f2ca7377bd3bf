"""A person sees what would become of a message, and why."""

from pathlib import Path

import pytest

from tests.unit.quietrelay.command import UNREACHABLE, quietrelay

MESSAGE = (
    b"From: a@example.org\nX-Mailer: Mine \x1b[2J\nMessage-ID: <1@kitchen-pc>\nSubject: G\xc3\xbc\n\nHello\n"
)


def test_each_header_is_shown_with_what_becomes_of_it(tmp_path: Path) -> None:
    (tmp_path / "letter.eml").write_bytes(MESSAGE)
    done = quietrelay(tmp_path, "privacy", "letter.eml")
    assert done.returncode == 0
    assert "- X-Mailer: Mine \N{REPLACEMENT CHARACTER}[2J\n      goes: the program" in done.stdout
    assert "- Message-ID: <1@kitchen-pc>\n+ Message-ID: <1@mx1.example.org>\n      rewritten: " in done.stdout
    assert "  Subject: Gü\n      stays: " in done.stdout
    assert "The body, 6 bytes, leaves as it is" in done.stdout
    assert "Of 4 headers 1 go, 1 are rewritten, 2 stay; mx1.example.org adds its own." in done.stdout


def test_an_inventorys_settings_count(tmp_path: Path) -> None:
    (tmp_path / "letter.eml").write_bytes(MESSAGE)
    vouching = UNREACHABLE.replace(
        '"login"', '"privacy": settings.Privacy(vouched_headers=["X-Mailer"]), "login"'
    )
    assert vouching != UNREACHABLE
    (tmp_path / "prod.py").write_text(f"from tasks import settings\n{vouching}")
    done = quietrelay(tmp_path, "privacy", "letter.eml", "--inventory", "prod.py")
    assert "stays: the inventory vouches for it" in done.stdout
    assert "mx1.relay.test adds its own" in done.stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "letter.eml cannot be read (no such file"), (b"\n", "does not begin with a header")],
)
def test_what_is_no_message_is_refused(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / "letter.eml").write_bytes(content)
    done = quietrelay(tmp_path, "privacy", "letter.eml")
    assert done.returncode == 2
    assert told in done.stdout
    assert "saved as .eml" in done.stdout
