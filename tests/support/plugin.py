"""What tests of hosts run against, and what they are given. Unit tests have none of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.support import side_by_side
from tests.support.backends import Backends
from tests.support.bed import TEST_BED, Account, Endpoint, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.mail import LocalMail, Maildir
from tests.support.smtp import MailProgram

# A test that takes one of these runs at each such endpoint of each relay.
ENDPOINTS: dict[str, Callable[[Endpoint], bool]] = {
    "endpoint": lambda endpoint: True,
    "first_endpoint": lambda endpoint: endpoint.is_first,  # one family: each port once
    "plain_endpoint": lambda endpoint: not endpoint.opens_in_tls,
    "login_endpoint": lambda endpoint: endpoint.takes_logins,
    "first_login_endpoint": lambda endpoint: endpoint.takes_logins and endpoint.is_first,
    "endpoint_25": lambda endpoint: endpoint.port == 25,
}

TESTS = Path(__file__).parents[1]
SAFE, LAB = TESTS / "verify", TESTS / "live"

NO_HOSTS = (
    "there are no hosts to talk to: name them with --inventory inventories/lab.py, "
    'or run the unit tests alone with -m "not live"'
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each relay, endpoint and user that it asks for."""
    if not _is_of_hosts(metafunc.definition):
        return
    test_bed = metafunc.config.stash.get(TEST_BED, None)
    if test_bed and not _needs(metafunc.definition) <= test_bed.roles:
        test_bed = None  # it is left out below, and need not be made for each endpoint before
    # Without relays a test is collected all the same: -m "not live" may leave it out, nothing else may.
    places: dict[str, Sequence[Endpoint | Relay]] = {
        name: [endpoint for endpoint in test_bed.endpoints if is_one(endpoint)] if test_bed else []
        for name, is_one in ENDPOINTS.items()
    }
    places["relay"] = test_bed.relays if test_bed else []
    for name, some in places.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, some or [pytest.param(None, id="nowhere")], ids=str)
    if "inventoried" in metafunc.fixturenames:
        metafunc.parametrize("inventoried", test_bed.names if test_bed else [], ids=str)
    if "user" in metafunc.fixturenames:
        users = [pytest.param(Account(user.uid, user.password), id=user.uid) for user in USERS]
        metafunc.parametrize("user", users)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as live what talks to hosts, and as safe what changes nothing there."""
    if _is_of_hosts(item):
        item.add_marker("live")
    if SAFE in item.path.parents:
        item.add_marker("safe")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Talk to relays side by side where a test lets us."""
    return side_by_side.hold(pyfuncitem) or None


@pytest.hookimpl(trylast=True)  # after -m and -k
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the inventory has no hosts for, and put what breaks the relay last."""
    live = [item for item in items if item.get_closest_marker("live")]
    if not live:
        return
    test_bed = config.stash.get(TEST_BED, None)
    if test_bed is None or not test_bed.relays:
        raise pytest.UsageError(NO_HOSTS)
    lacking = [item for item in live if not _needs(item) <= test_bed.roles]
    config.hook.pytest_deselected(items=lacking)
    items[:] = [item for item in items if item not in lacking]
    items.sort(key=lambda item: item.get_closest_marker("changes_the_relay") is not None)


def _is_of_hosts(item: pytest.Item) -> bool:
    return any(folder in item.path.parents for folder in (SAFE, LAB))


def _needs(item: pytest.Item) -> set[str]:
    """Name what a test needs of an inventory: what it says, and in the lab's folder leave to break relays."""
    needs = {role for marker in item.iter_markers("needs") for role in marker.args}
    return needs | {"expendable"} if LAB in item.path.parents else needs


@pytest.fixture(scope="session")
def test_bed(request: pytest.FixtureRequest) -> TestBed:
    """Give all that the inventory offers."""
    return request.config.stash[TEST_BED]


@pytest.fixture(scope="module")  # some modules set a relay up anew, and it has another CA then
def mail_program(
    request: pytest.FixtureRequest, test_bed: TestBed, pytestconfig: pytest.Config
) -> MailProgram:
    """Give the mail program, at the client's place."""
    if SAFE in request.path.parents:
        program: MailProgram = request.getfixturevalue("one_mail_program")
        return program
    return _mail_program(test_bed, pytestconfig, gives_up=False)


@pytest.fixture(scope="session")
def one_mail_program(test_bed: TestBed, pytestconfig: pytest.Config) -> MailProgram:
    """Give the mail program that talks to relays to which nothing happens, so that it knows whom to trust."""
    return _mail_program(test_bed, pytestconfig, gives_up=True)  # nobody puts right what is silent


def _mail_program(test_bed: TestBed, config: pytest.Config, gives_up: bool) -> MailProgram:
    ca = config.getoption("--ca")
    return MailProgram(test_bed.client_host, Path(ca) if ca else None, gives_up=gives_up)


@pytest.fixture(scope="module")
def backends(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backends]:
    """Let tests choose another login backend; at the end the relays have the inventory's again."""
    backends = Backends(test_bed, pytestconfig.rootpath, tmp_path_factory.mktemp("operator"))
    yield backends
    if not backends.are_the_given:
        back = backends.go_back()
        assert back.status == 0, back.complaint()


@pytest.fixture(scope="session")
def client(test_bed: TestBed) -> InventoryClient:
    """Give the client's host."""
    assert isinstance(test_bed.client_host, InventoryClient)
    return test_bed.client_host


@pytest.fixture(scope="session")
def days_left(pytestconfig: pytest.Config) -> int | None:
    """Say for how many days a certificate has to be valid still, where that is not the inventory's affair."""
    days: int | None = pytestconfig.getoption("--days")
    return days


@pytest.fixture(scope="session")
def account(test_bed: TestBed) -> Account:
    """Give somebody who may log in."""
    assert test_bed.account is not None
    return test_bed.account


@pytest.fixture(scope="session")
def outside(test_bed: TestBed) -> Iterator[Maildir]:
    """Give the mailbox outside."""
    maildir = Maildir(test_bed.others["outside"])
    yield maildir
    maildir.clean()


@pytest.fixture
def local_mail() -> Iterator[Callable[[Relay], LocalMail]]:
    """Open a relay's own mailboxes."""
    with ExitStack() as cleaning:

        def open_mailboxes(relay: Relay) -> LocalMail:
            mail = LocalMail(relay.remote)
            cleaning.callback(mail.remove)
            return mail

        yield open_mailboxes
