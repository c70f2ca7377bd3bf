"""The page about a verification says what was found, fetches and runs nothing, and escapes what it heard."""

import re
from datetime import UTC, datetime

from docs.promises import Promise, promises
from quietrelay import report
from quietrelay.outcome import Outcome
from tasks.settings import Privacy

NOW = datetime(2025, 11, 20, 9, 30, tzinfo=UTC)
PROMISE = Promise(title="It holds.", tests=("it_holds", "it_holds_too"))
SEEN = {
    "names": "mx1.example.org",
    "issuer": "CN=A CA",
    "expires": "2025-11-27T09:30:00+00:00",
    "transcript": "S: 220 <script>alert(1)</script>",
}


def page(*outcomes: Outcome, status: int = 0) -> str:
    """Write a page."""
    return report.page(outcomes, status, Privacy(), "mx1.example.org", NOW)


def test_the_page_tells_findings_certificates_and_transcripts() -> None:
    outcome = Outcome("mx1", {"failed": ["nobody listens; see"]}, ["test_a[25]"], {"port 25": SEEN})
    text = page(outcome, status=1)
    for words in (
        "Not all is as it should be",
        "nobody listens; see",
        "test_a[25]",
        "7 days left",
        "CN=A CA",
    ):
        assert words in text
    assert 'class="care">7 days' in text, "a certificate that ends soon stands out"


def test_the_page_is_whole_by_itself_and_what_relays_say_stays_text() -> None:
    text = page(Outcome("mx1", {"passed": ["test_a[25]"]}, [], {"port 25": SEEN}))
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r"<(script|link|img|iframe|object|embed)|@import|url\(|\bsrc=|\bhref=", text)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_a_message_is_shown_before_and_after() -> None:
    text = page()
    assert '<span class="ill">- X-Originating-IP: 192.0.2.77</span>' in text
    assert re.search(r'<span class="well">\+ Message-ID: .*@mx1\.example\.org', text)


def test_a_promise_is_kept_only_where_it_was_asked_for_and_nothing_failed() -> None:
    passed, failed = (
        Outcome("mx1", {"passed": ["test_it_holds[25]"]}),
        Outcome("mx2", {}, ["test_it_holds_too"]),
    )
    assert report.held(PROMISE, [passed]) == ("It holds.", "kept", 1)
    assert report.held(PROMISE, [passed, failed]) == ("It holds.", "broken", 2)
    assert report.held(PROMISE, [Outcome("mx1", {"passed": ["test_other[25]"]})]).word == "not asked"


def test_every_promise_has_its_line() -> None:
    text = page(Outcome("mx1", {"passed": ["test_being_on_the_relay_is_no_login"]}))
    assert text.count('<td class="faint">not asked</td>') == sum(map(len, promises().values())) - 1
