"""Verification of a relay that is well passes, and tells what is wrong by its cause.

With other backends their own tests see to it.
"""

import base64
import html
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.topology import user_named
from tests.support import strangers
from tests.support.backends import Backends
from tests.support.bed import TestBed
from tests.support.deploy import Deploy, vary

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

SERVICE = "smtp.relay.test"
PRIVATE_CA = """
"certificate": settings.CertificateFiles(certificate={0!r}, key={0!r}),
"relay": settings.Relay(service_names=[{1!r}]),
"""


def test_a_healthy_relay_is_not_called_ill_for_what_strangers_tried(
    backends: Backends, test_bed: TestBed
) -> None:
    strangers.try_all(test_bed)
    assert backends.verify() == ""


@pytest.fixture(scope="module")
def private(test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give an inventory of a relay whose certificate is by an unknown CA, and for the service's name."""
    relay, directory = test_bed.relays[0], tmp_path_factory.mktemp("private")
    issued = test_bed.keeper.issue_certificate(SERVICE)
    (directory / "relay.pem").write_text(issued.key + issued.certificate)
    data = PRIVATE_CA.format(str(directory / "relay.pem"), SERVICE)
    return vary(test_bed.inventory, directory / "private.py", data, [relay.name])


def verified(inventory: str, *words: str) -> tuple[int, dict[str, list[str]]]:
    """Verify the relay as a person does, and tell the status, and what passed and failed."""
    command = [sys.executable, "-m", "quietrelay", "verify", inventory, "--json", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["status"] == done.returncode
    (relay,) = found["relays"]
    return done.returncode, relay["parts"]


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
