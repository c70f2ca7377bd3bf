"""From the last release to this: nothing is lost, no promise is broken, and what is not wanted goes."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.topology import USERS
from tests.support.backends import endpoint_of
from tests.support.bed import Account, Relay, TestBed
from tests.support.client_host import InventoryClient
from tests.support.deploy import Deploy, Run, vary
from tests.support.hammer import hammering
from tests.support.home import homes
from tests.support.inventory import read
from tests.support.mail import Maildir, new_token, settle
from tests.support.secrets_of import found
from tests.support.senders import sending
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory", "outside", "client")]

RELEASE = r"^Release [0-9.]*$"  # subject of a release's commit
ALICE = Account(USERS[0].uid, USERS[0].password)
SENDER = f"{ALICE.login}@relay.test"

# The release reads no more of the lab than this.
INVENTORY = """
from tasks import settings

relays = (
    [({name!r}, {{}})],
    {connection!r}
    | {{
        "login": settings.{login}(**{told!r}),
        "senders": settings.SendersFromFile(file={senders!r}),
        "logs": settings.Logs(keep_days=7),
    }},
)
"""
# What only the release's settings need, and what every relay keeps.
GONE = ("/etc/postfix/senders", "/etc/systemd/system/quietrelay-logs.timer")
KEPT = ("/etc/postfix/tls/ca.pem", "/etc/postfix/tls/relay.pem", "/etc/admins-own")
LOOK = f"sha256sum {' '.join(KEPT)}; postconf -h admins_own"
PARAMETERS = ("quietrelay_senders", "smtpd_sender_login_maps", "maillog_file")
LEFT = f"ls -d {' '.join(GONE)} 2>/dev/null; postconf -n | grep -E '^({'|'.join(PARAMETERS)})' || true"


@dataclass(frozen=True)
class Upgrade:
    """The release's run, and those of this program after it."""

    released: Run
    had: str
    before: str
    upgraded: Run
    login_codes: dict[int, int]
    sent: list[str]
    """A word of each message that was taken while the runs went on."""
    arrived: list[bytes]
    after: str
    left: str
    again: Run


def test_the_release_was_there_with_all_that_goes(upgrade: Upgrade) -> None:
    assert upgrade.released.status == 0, upgrade.released.complaint()
    assert [word for word in (*GONE, *PARAMETERS) if word not in upgrade.had] == []


def test_it_goes_through_and_a_second_run_changes_nothing(upgrade: Upgrade) -> None:
    assert upgrade.upgraded.status == 0, upgrade.upgraded.complaint()
    assert upgrade.again.status == 0, upgrade.again.complaint()
    assert upgrade.again.changed == {}


def test_what_clients_trust_and_what_the_admin_added_is_kept(upgrade: Upgrade) -> None:
    assert upgrade.before
    assert upgrade.after == upgrade.before


def test_what_the_release_had_and_this_has_not_is_gone(upgrade: Upgrade) -> None:
    assert upgrade.left == ""


def test_nobody_was_told_that_the_password_is_wrong(upgrade: Upgrade) -> None:
    assert upgrade.login_codes[235]
    assert set(upgrade.login_codes) <= {235, 454, 0}, upgrade.login_codes  # 0: Postfix began anew


def test_each_message_that_was_taken_arrived_once_and_tells_nothing(
    upgrade: Upgrade, client: InventoryClient
) -> None:
    assert upgrade.sent
    counts = {word: sum(word.encode() in raw for raw in upgrade.arrived) for word in upgrade.sent}
    assert counts == dict.fromkeys(upgrade.sent, 1)
    secrets = [secret for home in homes(client.remote) for secret in home.secrets]
    assert [told for raw in upgrade.arrived if (told := found(raw, secrets))] == []


@pytest.fixture(scope="module")
def release(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the program as it was last released."""
    root, tree = pytestconfig.rootpath, tmp_path_factory.mktemp("release")
    commit = _git(root, "log", "-1", "--format=%H", f"--grep={RELEASE}").decode().strip()
    assert commit, "the history has no release; clone it whole"
    subprocess.run(["tar", "-x", "-C", str(tree)], input=_git(root, "archive", commit), check=True)
    return tree


def _git(root: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def upgrade(
    test_bed: TestBed,
    release: Path,
    mail_program: MailProgram,
    outside: Maildir,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Upgrade]:
    """Deploy the release onto a host in its first state, and this over it, while people log in and send."""
    relay, keeper = test_bed.relays[0], test_bed.keeper
    folder = tmp_path_factory.mktemp("operator")
    released = Deploy(inventory_of_the_release(test_bed, relay, folder, pytestconfig.rootpath), release)
    copy = folder / "this.py"
    this = Deploy(
        vary(test_bed.inventory, copy, '"logs": settings.Logs()', [relay.name]), pytestconfig.rootpath
    )

    def start_anew() -> None:
        keeper.reset(relay.name)
        relay.remote.close()  # its connection leads to a host that is gone
        mail_program.forget(relay)

    start_anew()
    try:
        first = released.run()
        relay.remote.run("echo kept > /etc/admins-own; postconf -e admins_own=kept")
        had, before = relay.remote.run(LEFT), relay.remote.run(LOOK)
        endpoint = endpoint_of(test_bed, relay)
        token = new_token()
        with (
            sending(mail_program, [endpoint], ALICE, token, people=1) as senders,
            hammering(mail_program, [endpoint], ALICE, people=2) as attempts,
        ):
            attempts.wait_for(235)
            upgraded = this.run()
            attempts.wait_for(235)
        settle(token, relay.remote, outside.remote)
        yield Upgrade(
            first,
            had,
            before,
            upgraded,
            attempts.codes(),
            senders.taken,
            outside.arrived(token),
            relay.remote.run(LOOK),
            relay.remote.run(LEFT),
            this.run(),
        )
    finally:
        relay.remote.run("rm -f /etc/admins-own; postconf -X admins_own || true")
        back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
        assert back.status == 0, back.complaint()


def inventory_of_the_release(test_bed: TestBed, relay: Relay, folder: Path, root: Path) -> str:
    """Write an inventory in the release's words, with nothing of the lab's code; give its path."""
    (entry,) = [entry for entry in read(test_bed.inventory, root) if entry.name == relay.name]
    senders = folder / "senders"
    senders.write_text(f"{SENDER} {ALICE.login}\n")
    login = relay.settings.login
    path = folder / "release.py"
    path.write_text(
        INVENTORY.format(
            name=relay.name,
            connection=dict(entry.data),
            login=type(login).__name__,
            told=login.model_dump(exclude_defaults=True),
            senders=str(senders),
        )
    )
    return str(path)
