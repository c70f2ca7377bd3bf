"""One cause is one finding, with what to do, however many checks fail for it."""

import pytest

from quietrelay.findings import told

UNTRUSTED = (
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "self-signed certificate in certificate chain (_ssl.c:992)"
)


def test_many_checks_that_fail_for_one_cause_are_one_finding() -> None:
    failures = [(f"test_a[{port}]", UNTRUSTED) for port in (25, 465, 587)]
    (finding,) = told(failures)
    assert finding.startswith("the certificate is not trusted, for it leads to no CA that is, in 3 checks; ")
    assert "--ca FILE" in finding


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UNTRUSTED, "the certificate is not trusted, for it leads to no CA that is; "),
        ("E: {'certificate_path_validation': 'Certificate ...'}", "the certificate is not trusted, "),
        (
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:9)",
            "the certificate is not good (certificate has expired); ",
        ),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "nobody listens; "),
        ('AssertionError: mx1:465 -> "Server rejected the connection".', "nobody listens; "),
        (
            "AssertionError: the certificate ends in 2 days\nassert 1",
            "the certificate ends in 2 days; have it renewed",
        ),
        ("TimeoutError: timed out", "it does not answer; "),
        ("smtplib.SMTPServerDisconnected: Connection unexpectedly closed", "it hangs up; "),
        ("assert 535 == 235\n +  where 535 = Reply", "the account is refused; "),
        ("assert 454 == 235", "nobody could be asked for the password; "),
    ],
)
def test_a_cause_is_known_by_its_error(error: str, words: str) -> None:
    (finding,) = told([("test_a", error)])
    assert finding.startswith(words)


def test_what_has_no_known_cause_speaks_for_itself() -> None:
    errors = [
        ("test_a[25]", "AssertionError: no banner\nassert 1"),
        ("test_b", "E: other"),
        ("test_c", UNTRUSTED),
    ]
    assert told(errors)[:2] == ["test_a[25]: no banner", "test_b: E: other"]
    assert len(told(errors)) == 3


def test_what_a_check_says_for_people_is_told_as_it_is() -> None:
    said = "tests.support.fault.FaultError: saslauthd does not run; start it: systemctl start saslauthd"
    assert told([("test_a", said)]) == ["saslauthd does not run; start it: systemctl start saslauthd"]
    (finding,) = told([("test_a", said), ("test_b[x]", said)])
    assert finding == "saslauthd does not run, in 2 checks; start it: systemctl start saslauthd"


def test_what_follows_from_another_finding_is_not_told_beside_it() -> None:
    refused = ("test_a", "ConnectionRefusedError: [Errno 111] Connection refused")
    stopped = ("test_b", "tests.support.fault.FaultError: postfix does not run; start it")
    assert told([refused, stopped]) == ["postfix does not run; start it"]
    (alone,) = told([refused])
    assert alone.startswith("nobody listens; ")
