"""What tests of hosts run against, and what they are given. Unit tests have none of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.support import side_by_side
from tests.support.backends import Ways
from tests.support.bed import LANDSCAPE, Account, Door, Landscape, Relay
from tests.support.client_host import There
from tests.support.mail import LocalMail, Maildir
from tests.support.smtp import MailProgram

# A test that takes one of these runs at each such door of each relay.
DOORS: dict[str, Callable[[Door], bool]] = {
    "door": lambda door: True,
    "first_door": lambda door: door.is_first,  # one family: each port once
    "plain_door": lambda door: not door.opens_in_tls,
    "login_door": lambda door: door.takes_logins,
    "first_login_door": lambda door: door.takes_logins and door.is_first,
    "door_25": lambda door: door.port == 25,
}

TESTS = Path(__file__).parents[1]
SAFE, LAB = TESTS / "verify", TESTS / "live"

NO_HOSTS = (
    "there are no hosts to talk to: name them with --inventory inventories/lab.py, "
    'or run the unit tests alone with -m "not live"'
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each relay, door and user that it asks for."""
    if not _is_of_hosts(metafunc.definition):
        return
    landscape = metafunc.config.stash.get(LANDSCAPE, None)
    if landscape and not _needs(metafunc.definition) <= landscape.roles:
        landscape = None  # it is left out below, and need not be made for each door before
    # Without relays a test is collected all the same: -m "not live" may leave it out, nothing else may.
    places: dict[str, Sequence[Door | Relay]] = {
        name: [door for door in landscape.doors if is_one(door)] if landscape else []
        for name, is_one in DOORS.items()
    }
    places["relay"] = landscape.relays if landscape else []
    for name, some in places.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, some or [pytest.param(None, id="nowhere")], ids=str)
    if "user" in metafunc.fixturenames:
        users = [pytest.param(Account(user.uid, user.password), id=user.uid) for user in USERS]
        metafunc.parametrize("user", users)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as live what talks to hosts."""
    if _is_of_hosts(item):
        item.add_marker("live")


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
    landscape = config.stash.get(LANDSCAPE, None)
    if landscape is None or not landscape.relays:
        raise pytest.UsageError(NO_HOSTS)
    lacking = [item for item in live if not _needs(item) <= landscape.roles]
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
def landscape(request: pytest.FixtureRequest) -> Landscape:
    """Give all that the inventory offers."""
    return request.config.stash[LANDSCAPE]


@pytest.fixture(scope="module")  # some modules set a relay up anew, and it has another CA then
def mail_program(landscape: Landscape) -> MailProgram:
    """Give the mail program, at the client's place."""
    return MailProgram(landscape.vantage)


@pytest.fixture(scope="module")
def ways(
    landscape: Landscape, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ways]:
    """Have users log in another way; at the end they log in as before."""
    ways = Ways(landscape, pytestconfig.rootpath, tmp_path_factory.mktemp("operator"))
    yield ways
    if not ways.are_the_given:
        back = ways.go_back()
        assert back.status == 0, back.complaint()


@pytest.fixture(scope="session")
def client(landscape: Landscape) -> There:
    """Give the client's host."""
    assert isinstance(landscape.vantage, There)
    return landscape.vantage


@pytest.fixture(scope="session")
def account(landscape: Landscape) -> Account:
    """Give somebody who may log in."""
    assert landscape.account is not None
    return landscape.account


@pytest.fixture(scope="session")
def outside(landscape: Landscape) -> Iterator[Maildir]:
    """Give the mailbox outside."""
    maildir = Maildir(landscape.others["outside"])
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
