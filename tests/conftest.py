"""What the command line of pytest takes: an inventory, and on production an account.

pytest tests/unit                             without a host
pytest tests/ --inventory inventories/lab.py  conversations with these relays alone
pytest tests/ --inventory inventories/prod.py --login alice --password-file ~/.relay-password
"""

import os
from pathlib import Path

import pytest

from lab.process import LabError
from tests.support.bed import TEST_BED, Account, TestBed, survey
from tests.support.inventory import InventoryError

pytest_plugins = ["tests.support.plugin"]
REMEMBERED = pytest.StashKey[bool]()
UNIT_TESTS = Path(__file__).parent / "unit"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the live tests."""
    group = parser.getgroup("quietrelay", "live tests")
    group.addoption("--inventory", metavar="FILE", help="talk to the relays of this pyinfra inventory")
    group.addoption(
        "--login", metavar="NAME", help="log in as this user; the password is in $QUIETRELAY_PASSWORD"
    )
    group.addoption(
        "--limit", metavar="HOST", action="append", help="talk to this relay alone; may be repeated"
    )
    group.addoption("--ca", metavar="FILE", help="trust this CA as well, a PEM file")
    group.addoption(
        "--days",
        metavar="N",
        type=int,
        help="want certificates to be valid for so long still; by default as the inventory says",
    )
    group.addoption("--password-file", metavar="FILE", help="first line: the password of --login")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that decide which tests an inventory gets."""
    for line in (
        "needs(*roles): runs only where the inventory has these groups of hosts (or an account was given)",
        "safe: changes nothing, so that others may talk to the relay meanwhile",
        "changes_the_relay: breaks and repairs the relay; runs last, and alone",
        "machine: changes the relay where a machine may differ from a container; worth it emulated too",
        "bulk: sends messages by the thousand, or logs in by the hundred",
        "long: takes many minutes; script/test leaves it out, and script/test --long runs it",
    ):
        config.addinivalue_line("markers", line)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave unit tests out where there are relays: whoever names an inventory asks about those."""
    return True if collection_path == UNIT_TESTS and config.getoption("--inventory") else None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the inventory and look which hosts there are."""
    inventory = session.config.getoption("--inventory")
    if inventory:
        try:
            config = session.config
            test_bed = survey(inventory, config.rootpath, _account(config), config.getoption("--limit"))
            session.config.stash[TEST_BED] = test_bed
        except (InventoryError, LabError) as error:
            raise pytest.UsageError(str(error)) from None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note how hosts are that a test may break."""
    if any(item.get_closest_marker("changes_the_relay") for item in session.items):
        try:
            session.config.stash[TEST_BED].keeper.remember()
        except LabError as error:
            raise pytest.UsageError(str(error)) from None
        session.config.stash[REMEMBERED] = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hang up, since every connection is shared by the whole session, and leave hosts as they were."""
    if test_bed := session.config.stash.get(TEST_BED, None):
        test_bed.close()
        if session.config.stash.get(REMEMBERED, False):
            test_bed.keeper.put_back()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what the inventory offers, and what is therefore left out."""
    test_bed: TestBed | None = config.stash.get(TEST_BED, None)
    return test_bed.describe() if test_bed else None


def _account(config: pytest.Config) -> Account | None:
    login, file = config.getoption("--login"), config.getoption("--password-file")
    if not login:
        return None
    if file:
        try:
            return Account(login, Path(file).read_text().partition("\n")[0])
        except OSError as error:
            raise pytest.UsageError(f"--password-file {file}: {error.strerror}") from None
    if password := os.environ.get("QUIETRELAY_PASSWORD"):
        return Account(login, password)
    raise pytest.UsageError("--login needs its password in $QUIETRELAY_PASSWORD or in --password-file FILE")
