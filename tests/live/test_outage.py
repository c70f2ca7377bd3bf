"""An outage is not a wrong password: whoever cannot be asked, the client is put off and never refused."""

import pytest

from lab.topology import USERS
from tests.live import outages
from tests.live.hammer import attempt, hammering
from tests.live.landscape import Account, Landscape
from tests.live.outages import LDAP, Outage
from tests.live.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("directory")]

IN_DIRECTORY = Account(USERS[0].uid, USERS[0].password)
PROMISED = 10.0  # seconds within which a login is answered, whatever happens


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(outages.stopped("slapd"), id="stopped"),
        pytest.param(outages.silent(*LDAP), id="packets dropped"),
        pytest.param(outages.strangers_certificate, id="certificate wrong"),
        pytest.param(outages.frozen("slapd"), id="frozen"),
    ],
)
def test_while_the_directory_is_away_users_are_put_off_and_never_refused(
    landscape: Landscape, mail_program: MailProgram, outage: Outage
) -> None:
    doors = [door for door in landscape.doors if door.is_first and door.port != 25]
    with hammering(mail_program, doors, IN_DIRECTORY) as attempts:
        attempts.wait_for(235)
        with outage(landscape.others["directory"]):
            attempts.wait_for(454)
        attempts.wait_for(235)
    print(attempts.codes(), attempts.slowest())
    assert set(attempts.codes()) == {235, 454}
    assert attempts.slowest() < PROMISED
    assert attempt(mail_program, doors[0], Account("alice", "wrong")).code == 535
