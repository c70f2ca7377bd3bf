"""Units of which somebody else has made something that would not serve are named."""

import pytest

from tasks.activation import units
from tasks.activation.facts.units import Line, Units, UnitsSay

GATE = "saslauthd.service"
OWN = {GATE: "Type=notify\nUser=saslauthd\nLoadCredential=a:/b\nProtectProc=invisible\nRestart=always\n"}


def found(*lines: str, masked: str = "") -> UnitsSay:
    """Make what a host says of the gate's unit."""
    printed = [f"{GATE}=/run/systemd/system/service.d/lxc.conf:{line}" for line in lines]
    return Units().process([*printed, *([f"masked={masked}"] if masked else [])])


def test_paths_of_units_are_told_from_others() -> None:
    assert units.paths(["/etc/systemd/system/a.service", "/etc/systemd/system/a.d/b", "/etc/a"]) == [
        "/etc/systemd/system/a.service"
    ]


def test_what_a_host_says_is_read_whole() -> None:
    assert found("LoadCredential=", masked="postfix.service") == {
        "masked": ["postfix.service"],
        "drop_ins": [Line(GATE, "/run/systemd/system/service.d/lxc.conf", "LoadCredential=")],
    }


def test_mask_is_named_with_its_remedy() -> None:
    (words,) = units.complain(found(masked="postfix.service"), OWN)
    assert (
        words
        == "postfix.service is masked, so that it cannot run; allow it: systemctl unmask postfix.service"
    )


@pytest.mark.parametrize("line", ["LoadCredential=", " User = root", "Type=simple"])
def test_drop_in_that_makes_it_another_service_is_named(line: str) -> None:
    (words,) = units.complain(found("[Service]", "# why", line), OWN)
    assert words.startswith(f"/run/systemd/system/service.d/lxc.conf has {line.strip()}, and without its own")


@pytest.mark.parametrize(
    "line", ["ProtectProc=", "Restart=no", "Group=mail", "LimitNOFILE=9", "", "#User=root"]
)
def test_drop_in_that_leaves_it_what_it_is_is_kept(line: str) -> None:
    assert list(units.complain(found("[Service]", line), OWN)) == []


def test_drop_in_that_is_made_at_each_boot_can_be_overruled_by_a_later_one() -> None:
    lxc = "/run/systemd/system/service.d/zzz-lxc-service.conf"
    later = f"/etc/systemd/system/{GATE}.d/zzzz.conf"
    emptied = Line(GATE, lxc, "LoadCredential=")
    (words,) = units.complain({"masked": [], "drop_ins": [emptied]}, OWN)
    assert f"put [Service] and LoadCredential= and LoadCredential=a:/b, a line each, into {later}" in words
    overruled = [Line(GATE, later, "LoadCredential=a:/b"), emptied]
    assert list(units.complain({"masked": [], "drop_ins": overruled}, OWN)) == []
    earlier = [Line(GATE, f"/etc/systemd/system/{GATE}.d/a.conf", "LoadCredential=a:/b"), emptied]
    assert len(list(units.complain({"masked": [], "drop_ins": earlier}, OWN))) == 1
