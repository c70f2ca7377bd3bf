"""No password is in a transcript."""

import pytest

from tests.support.smtp import masked


@pytest.mark.parametrize(
    ("sent", "before", "line"),
    [
        ("EHLO pc\r\n", [], "C: EHLO pc"),
        ("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", ["S: 250 x"], "C: AUTH PLAIN ***"),
        ("auth login YWxpY2U=\r\n", [], "C: auth login ***"),
        ("AUTH LOGIN\r\n", [], "C: AUTH LOGIN"),
        (b"c2VjcmV0\r\n", ["S: 334 UGFzc3dvcmQ6"], "C: ***"),
    ],
)
def test_what_proves_who_somebody_is_is_masked(sent: str | bytes, before: list[str], line: str) -> None:
    assert masked(sent, before) == line
