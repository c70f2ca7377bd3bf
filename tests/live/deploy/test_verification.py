"""Verification of a relay that is well passes, and tells what is wrong by its cause.

With other backends their own tests see to it.
"""

import base64
import html
import json
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.topology import user_named
from tests.support import browser
from tests.support.backends import Backends
from tests.support.bed import TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, vary
from tests.support.outages import undone

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

SERVICE = "smtp.relay.test"
PRIVATE_CA = """
"certificate": settings.CertificateFiles(certificate={0!r}, key={0!r}),
"relay": settings.Relay(service_names=[{1!r}]),
"""


def test_a_healthy_relay_is_not_called_ill_for_what_strangers_tried(
    backends: Backends,
) -> None:
    assert backends.verify() == ""


PRODUCTION = """
import runpy
relays = runpy.run_path({0!r})["relays"]
"""
COPY, FORMER = "cp -a /etc/postfix/*.cf /root/", "cp -a /root/*.cf /etc/postfix/; postfix reload"
CLOCK = """#!/bin/sh\nexec /bin/date -d "@$(($(/bin/date +%s) + 4000))" "$@\""""
# A fault with the script that makes it and the one that mends it, and how each finding of it begins.
FAULTS = {
    "stopped": ("systemctl stop postfix", "systemctl start postfix", ["postfix does not run, in "]),
    "no saslauthd": (
        "systemctl stop saslauthd",
        "systemctl start saslauthd",
        ["saslauthd does not run, in "],
    ),
    "port closed": (
        f"{COPY}; postconf -MX submissions/inet; postfix reload",
        FORMER,
        [
            "Postfix does not listen everywhere on 465; ",
            "Postfix is not set as the inventory says: submissions/inet; ",
        ],
    ),
    "rewriting off": (
        f"{COPY}; postconf -P cleanup-submission/unix/header_checks=; postfix reload",
        FORMER,
        ["Postfix is not set as the inventory says: cleanup-submission/unix/header_checks; "],
    ),
    "open relay": (
        f"{COPY}; postconf -e 'mynetworks = 0.0.0.0/0, [::]/0'"
        " 'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination'; postfix reload",
        FORMER,
        [
            "Postfix is not set as the inventory says: smtpd_relay_restrictions; ",
            "whoever does not log in may send through it: an open relay, in 2 checks; ",
            "programs on it may send without logging in; ",
        ],
    ),
    "clock wrong": (
        f"echo {shlex.quote(CLOCK)} > /usr/local/bin/date; chmod 755 /usr/local/bin/date",
        "rm /usr/local/bin/date",
        ["the clock is 66 min ahead of this machine's; "],
    ),
}


@pytest.mark.parametrize(
    "faults",
    [("stopped", "no saslauthd"), ("port closed", "rewriting off"), ("open relay", "clock wrong")],
    ids=" and ".join,
)
def test_a_fault_is_told_in_a_line_with_a_remedy(
    test_bed: TestBed, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    (tmp_path / "production.py").write_text(PRODUCTION.format(str(Path(test_bed.inventory).resolve())))
    ill = dict(zip(test_bed.relays, faults, strict=False))
    with ExitStack() as mending:
        for relay, fault in ill.items():
            breaking, mend, _ = FAULTS[fault]
            mending.enter_context(undone(relay.remote, breaking, mend))
        _, found = all_verified(str(tmp_path / "production.py"))
    told = {relay["host"]: relay["parts"].get("failed", []) for relay in found}
    for relay, fault in ill.items():
        findings, begin = told[relay.name], FAULTS[fault][2]
        assert len(findings) == len(begin), findings
        assert all(any(one.startswith(words) for one in findings) for words in begin), findings


def test_the_page_can_be_read_on_a_telephone_by_day_and_by_night(test_bed: TestBed, tmp_path: Path) -> None:
    (tmp_path / "production.py").write_text(PRODUCTION.format(str(Path(test_bed.inventory).resolve())))
    page = tmp_path / "page.html"
    status, _ = all_verified(
        str(tmp_path / "production.py"), "--report", str(page), "--", "-k", "tls or relaying"
    )
    assert status == 0
    by_day, by_night, wide = (
        browser.shown(page, tmp_path, width, scheme)
        for width, scheme in ((390, "light"), (390, "dark"), (1200, "light"))
    )
    assert by_day["width"] <= 390
    assert by_night["width"] <= 390
    assert (by_day["ink"], by_day["paper"]) != (by_night["ink"], by_night["paper"])
    for shown in (by_day, by_night, wide):
        assert (shown["fetched"], shown["scripts"]) == ([], 0)
        assert shown["title"].startswith("Verified")
        for words in ("days left", "S: 220 ", "Nobody relays without a login.", "X-Originating-IP", "passed"):
            assert words in shown["text"]


@pytest.fixture(scope="module")
def private(test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give an inventory of a relay whose certificate is by an unknown CA, and for the service's name."""
    relay, directory = test_bed.relays[0], tmp_path_factory.mktemp("private")
    issued = test_bed.keeper.issue_certificate(SERVICE)
    ca = test_bed.keeper.CA_CERTIFICATE.read_text()
    (directory / "relay.pem").write_text(issued.key + issued.certificate + ca)
    data = PRIVATE_CA.format(str(directory / "relay.pem"), SERVICE)
    return vary(test_bed.inventory, directory / "private.py", data, [relay.name])


def all_verified(inventory: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Verify relays as a person does, and tell the status, and what was found at each."""
    done = quietrelay("verify", inventory, "--json", *words)
    found = json.loads(done.stdout)
    assert found["status"] == done.returncode
    return done.returncode, found["relays"]


def verified(inventory: str, *words: str) -> tuple[int, dict[str, list[str]]]:
    """Verify the only relay, and tell the status, and what passed and failed."""
    status, (relay,) = all_verified(inventory, *words)
    return status, relay["parts"]


def test_one_cause_is_one_finding_with_a_remedy(
    private: str, test_bed: TestBed, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    run = Deploy(private, pytestconfig.rootpath).run()
    assert run.status == 0, run.complaint()
    try:
        status, parts = verified(private, "--ca", str(test_bed.keeper.CA_CERTIFICATE))
        assert (status, parts.get("failed")) == (0, None)

        ending = ["--ca", str(test_bed.keeper.CA_CERTIFICATE), "--days", "36500", "--", "-k", "for_some_time"]
        status, parts = verified(private, *ending)
        assert status == 1
        (ends,) = parts["failed"]
        assert ends.startswith("the certificate ends in ")
        assert ", in 6 checks; have it renewed" in ends

        status, parts = verified(private)
        assert status == 1
        (untrusted,) = parts["failed"]
        assert untrusted.startswith("the certificate is not trusted, ")
        assert "--ca FILE" in untrusted

        (tmp_path / "password").write_text("wrong-and-secret\n")
        page = tmp_path / "page.html"
        login = ["--user", user_named("alice").uid, "--password-file", str(tmp_path / "password")]
        status, parts = verified(
            private, "--ca", str(test_bed.keeper.CA_CERTIFICATE), *login, "--report", str(page)
        )
        assert status == 1
        (refused,) = parts["failed"]
        assert refused.startswith("the account is refused, in ")
        told = page.read_text()
        assert refused in html.unescape(told)
        assert "S: 220 " in told
        assert " days left" in told
        secret = base64.b64encode(f"\0{user_named('alice').uid}\0wrong-and-secret".encode()).decode()
        assert "wrong-and-secret" not in told
        assert secret not in told
    finally:
        back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
        assert back.status == 0, back.complaint()
