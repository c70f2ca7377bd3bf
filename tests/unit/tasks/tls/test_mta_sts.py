"""MTA-STS: the operator's own policies count for more, and so do keys in DNS."""

from tasks.part import Part
from tasks.settings import ClientTls, ServerTls
from tasks.tls import mta_sts
from tasks.tls import part as tls

OWN = "texthash:/etc/postfix/tls_policy"
DANE, STS = "socketmap:inet:127.0.0.1:8462:dane", "socketmap:inet:127.0.0.1:8461:postfix"


def made(unvalidated: str = "", **settings: object) -> Part:
    """Make the part."""
    return tls.part(ServerTls(), ClientTls.model_validate(settings), unvalidated)


def maps(part: Part) -> str | None:
    """Tell whom Postfix asks."""
    return part.postfix.parameters["smtp_tls_policy_maps"]


def test_by_default_nobody_is_asked() -> None:
    assert maps(made()) == OWN
    assert made().daemons == ()


def test_the_operator_comes_first_and_a_key_in_dns_before_a_policy() -> None:
    assert maps(made(mta_sts=True)) == f"{OWN}, {DANE}, {STS}"
    assert [one.unit for one in made(mta_sts=True).daemons] == [mta_sts.DAEMON, mta_sts.BEFORE]


def test_without_dane_nothing_stands_before_policies() -> None:
    part = made("no resolver", mta_sts=True)
    assert maps(part) == f"{OWN}, {STS}"
    assert [one.unit for one in part.daemons] == [mta_sts.DAEMON]
    assert mta_sts.PROGRAM not in part.files


def test_each_daemon_runs_by_a_unit_that_is_there() -> None:
    part = made(mta_sts=True)
    assert {daemon.unit_file for daemon in part.daemons} <= set(part.files)
    assert {path for daemon in part.daemons for path in daemon.reads} <= set(part.files)


def test_the_doctor_asks_each_table() -> None:
    (check,) = mta_sts.checks(True, None)
    assert DANE in check.script
    assert STS in check.script
