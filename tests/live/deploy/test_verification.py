"""Verification of a relay that is well passes, with whatever backend its users log in."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.backends import Backends
from tests.support.own_accounts import RIGHT, write_accounts

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

PATIENCE = 300  # seconds
OF_THE_LAB = ", ".join(
    f"{name}=given.{name}" for name in ("servers", "search_base", "ca_file", "bind_dn", "bind_password_file")
)
LOGINS = {
    "saslauthd, LDAP": "given",
    "saslauthd, PAM": "SaslauthdPam()",
    "saslauthd, IMAP": 'SaslauthdRimap(server="imaps://directory.relay.test", ca_file=given.ca_file)',
    "sasldb": "Sasldb(accounts_file={accounts!r})",
    "Dovecot, passwd-file": "DovecotPasswdFile(accounts_file={accounts!r})",
    "Dovecot, LDAP": f"DovecotLdap({OF_THE_LAB})",
}


@pytest.mark.parametrize("login", LOGINS)
def test_a_healthy_relay_is_not_called_ill(
    backends: Backends, pytestconfig: pytest.Config, tmp_path: Path, login: str
) -> None:
    accounts = tmp_path / "accounts"
    write_accounts(accounts, RIGHT.values())
    deployed = backends.choose(LOGINS[login].format(accounts=str(accounts)))
    assert deployed.status == 0, deployed.complaint()
    # As an operator does, who has no other hosts and gives no account. TLS is the same with every backend,
    # and takes most of the time.
    words = ["tests/verify", "--ignore=tests/verify/test_tls.py", "-q", "-p", "no:cacheprovider"]
    verified = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--inventory", backends.inventory],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert verified.returncode == 0, verified.stdout[-5000:]
