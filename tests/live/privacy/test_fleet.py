"""A fleet: what a user sent by one relay, the other knows when he answers to it, also after it was away."""

import secrets
import shlex
from collections.abc import Iterator

import pytest

from tests.live.privacy.test_threads import STRANGERS, sent
from tests.support.bed import Relay, TestBed
from tests.support.command_line import quietrelay
from tests.support.deploy import Deploy, vary
from tests.support.mail import Maildir, new_token
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.needs("outside", "client", "directory"), pytest.mark.changes_the_relay]

PORT = 4310
FLEET = """"privacy": settings.Privacy(ids_domain="relay.test", fleet={fleet!r}, fleet_key_file={key!r})"""
LEFT = "ls /etc/systemd/system/quietrelay-fleet.service /usr/local/lib/quietrelay/fleet* 2>/dev/null || true"
UNHEARD = """
for _ in $(seq 300); do grep -qP '\\t.' /run/quietrelay-fleet/status && exit; sleep 0.1; done
exit 1
"""
# As a stranger; an answer with hashes has a bracket.
ASK = """
exec 2>&1
exec 3<>/dev/tcp/{address}/{port} && {{
  head -n 1 <&3
  printf '{{"nonce": "1", "after": 0}}\\t%064d\\n' 0 >&3
  timeout 5 cat <&3
}}
echo the end
"""
LOOK = """python3 -c "
import sqlite3
file = sqlite3.connect('/var/lib/private/quietrelay-headers/ids.sqlite')
print(*file.execute('{select}').fetchone() or [0])
" """
# What tells the relay from others, and the number of what it rewrote last.
REWRITTEN = LOOK.format(select="SELECT (SELECT name FROM relay), max(number) FROM known WHERE here")
HEARD = LOOK.format(select="SELECT number FROM heard WHERE relay = \\'{relay}\\'")
UNTIL_HEARD = f"""
for _ in $(seq 300); do
  test "$({HEARD})" -lt {{number}} || exit 0
  sleep 0.1
done
cat /run/quietrelay-fleet/status >&2
exit 1
"""


@pytest.fixture(scope="module")
def deploy(
    test_bed: TestBed, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Deploy a fleet, and relays that know nothing of each other at the end."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "key").write_text(f"{secrets.token_urlsafe(33)}\n")
    (folder / "key").chmod(0o600)
    fleet = [address for relay in test_bed.relays for address in relay.addresses.values()]
    more = FLEET.format(fleet=fleet, key=str(folder / "key"))
    names = (relay.name for relay in test_bed.relays)
    deploy = Deploy(vary(test_bed.inventory, folder / "fleet.py", more, names), pytestconfig.rootpath)
    run = deploy.run()
    assert run.status == 0, run.complaint()
    yield deploy
    back = Deploy(test_bed.inventory, pytestconfig.rootpath).run()
    assert back.status == 0, back.complaint()
    assert set(test_bed.everywhere(LEFT).values()) == {""}


def send_and_answer(
    test_bed: TestBed, program: MailProgram, outside: Maildir, by: Relay, other: Relay
) -> dict[str, str]:
    """Send by one relay, wait until another knows that, and answer by that to it and to a stranger."""
    first, second = (
        next(end for end in test_bed.endpoints if end.relay == relay and end.is_first and end.port == 465)
        for relay in (by, other)
    )
    own = f"<{new_token()}@kitchen-pc>"
    arrived = sent(program, outside, [first], Message_ID=own)[first]
    assert arrived["Message-ID"] == own.replace("kitchen-pc", "relay.test")
    other.remote.run("systemctl start quietrelay-fleet")
    name, number = by.remote.run(REWRITTEN).split()
    other.remote.run(UNTIL_HEARD.format(relay=name, number=number))
    answer = sent(program, outside, [second], References=f"{STRANGERS} {own}", In_Reply_To=own)[second]
    assert " ".join(answer["References"].split()) == f"{STRANGERS} {arrived['Message-ID']}"
    assert answer["In-Reply-To"] == arrived["Message-ID"]
    return answer


def test_an_answer_by_another_relay_tells_no_home_and_threads_hold(
    test_bed: TestBed, deploy: Deploy, mail_program: MailProgram, outside: Maildir
) -> None:
    one, other = test_bed.relays
    send_and_answer(test_bed, mail_program, outside, one, other)
    send_and_answer(test_bed, mail_program, outside, other, one)


def test_a_relay_that_was_away_learns_what_it_missed(
    test_bed: TestBed, deploy: Deploy, mail_program: MailProgram, outside: Maildir
) -> None:
    one, other = test_bed.relays
    other.remote.run("systemctl stop quietrelay-fleet")
    send_and_answer(test_bed, mail_program, outside, one, other)


def test_nobody_else_learns_anything(test_bed: TestBed, deploy: Deploy, relay: Relay) -> None:
    script = ASK.format(address=relay.addresses["IPv4"], port=PORT)
    heard = test_bed.others["client"].run(f"bash -c {shlex.quote(script)}")
    assert heard.endswith("the end\n")
    assert "[" not in heard


def test_the_doctor_tells_of_a_relay_that_is_not_heard(test_bed: TestBed, deploy: Deploy) -> None:
    one, other = test_bed.relays
    other.remote.run("systemctl stop quietrelay-fleet")
    try:
        one.remote.run(UNHEARD)
        said = quietrelay("doctor", deploy.inventory, "--limit", one.name)
    finally:
        other.remote.run("systemctl start quietrelay-fleet")
    assert said.returncode == 1
    assert "the other relays of the fleet are heard" in said.stdout
    for address in other.addresses.values():
        assert f"{address}: it " in " ".join(said.stdout.split())


def test_the_next_run_has_nothing_to_do(deploy: Deploy) -> None:
    assert deploy.run().changed == {}
