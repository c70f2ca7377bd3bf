"""Relays that are changed while users send: all that was taken arrives once, and nobody is refused."""

from collections import Counter
from pathlib import Path

import pytest

from tests.live.certificates.test_own_ca import age
from tests.support.backends import Backends
from tests.support.bed import Account, Relay, TestBed
from tests.support.command_line import pyinfra
from tests.support.deploy import PATIENCE, Deploy, vary
from tests.support.mail import new_token
from tests.support.senders import Refusal, sending
from tests.support.shown import RENEW
from tests.support.smtp import MailProgram

pytestmark = [pytest.mark.changes_the_relay, pytest.mark.needs("outside", "client", "directory", "account")]

PEOPLE = 5  # at 465 and 587 of two relays: 20
DOVECOT = """DovecotLdap(
    **{name: getattr(given, name) for name in
       ("servers", "search_base", "ca_file", "bind_dn", "bind_password_file")},
)"""


def test_nobody_is_refused_and_no_mail_is_lost_while_relays_change(
    test_bed: TestBed,
    backends: Backends,
    mail_program: MailProgram,
    account: Account,
    pytestconfig: pytest.Config,
    tmp_path: Path,
) -> None:
    deployed = backends.run()
    assert deployed.status == 0, deployed.complaint()
    root, names = pytestconfig.rootpath, [relay.name for relay in test_bed.relays]
    settings = '"queue": settings.Queue(lifetime_days=4), "logs": settings.Logs(keep_days=8)'
    varied = vary(test_bed.inventory, tmp_path / "varied.py", settings, names)

    def roll_back() -> None:
        given = str(Path(test_bed.inventory).resolve())
        went = pyinfra(["-y", given, "rollback.py"], root, PATIENCE)
        assert went.returncode == 0, went.stderr

    def renew() -> None:
        for relay in test_bed.relays:
            age(relay)
        test_bed.everywhere(RENEW)

    def exchange() -> None:
        chosen = backends.choose(DOVECOT)
        assert chosen.status == 0, chosen.complaint()

    def change() -> None:
        changed = Deploy(varied, root).run()
        assert changed.status == 0, changed.complaint()
        assert "Activation | Write main.cf and master.cf" in changed.changed

    ends = [end for end in test_bed.endpoints if end.is_first and end.port != 25]
    with sending(mail_program, ends, account, new_token(), PEOPLE) as senders:
        senders.wait()
        for act, refusals in ((change, set()), (renew, set()), (exchange, {454}), (roll_back, {454})):
            taken, refused = len(senders.taken), len(senders.refused)
            act()
            senders.wait()
            met = senders.refused[refused:]
            print(f"{act.__name__}: {len(senders.taken) - taken} taken, refused {told(met)}")
            assert {one.code for one in met} <= refusals, met
    senders.arrived_once(test_bed)


def told(refusals: list[Refusal]) -> str:
    """Count refusals by their code, and tell in which time they fell, the longest of all relays'."""
    moments: dict[Relay, list[float]] = {}
    for one in refusals:
        moments.setdefault(one.endpoint.relay, []).append(one.moment)
    seconds = max((max(some) - min(some) for some in moments.values()), default=0.0)
    return f"{dict(Counter(one.code for one in refusals))} within {seconds:.1f} s"
