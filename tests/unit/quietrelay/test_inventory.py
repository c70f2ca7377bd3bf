"""Hosts are chosen as pyinfra chooses them, and before anything is run."""

from pathlib import Path

import pytest

from quietrelay.inventory import hosts, named
from quietrelay.places import CLONE
from quietrelay.refusal import Refusal

INVENTORY = """\
from tasks.settings import *

_data = {"login": SaslauthdLdap(servers=["ldaps://ldap.example.org"], search_base="dc=example,dc=org")}
near = (["mx1.example.org"], _data)
far = (["mx2.example.net", "mx10.example.net"], _data)
"""


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An inventory with two groups."""
    monkeypatch.setenv("PYTHONPATH", str(CLONE))
    (tmp_path / "prod.py").write_text(INVENTORY)
    return str(tmp_path / "prod.py")


@pytest.mark.parametrize(
    ("limits", "chosen"),
    [
        ([], ["mx1.example.org", "mx2.example.net", "mx10.example.net"]),
        (["mx1.example.org"], ["mx1.example.org"]),
        (["mx1*"], ["mx1.example.org", "mx10.example.net"]),
        (["far"], ["mx2.example.net", "mx10.example.net"]),
        (["mx10.example.net", "near"], ["mx1.example.org", "mx10.example.net"]),
    ],
    ids=["all", "name", "pattern", "group", "two"],
)
def test_a_limit_is_a_name_a_pattern_or_a_group(inventory: str, limits: list[str], chosen: list[str]) -> None:
    assert hosts(inventory, limits) == chosen


def test_one_limit_of_several_that_fits_no_host_is_refused(inventory: str) -> None:
    with pytest.raises(Refusal, match="there is no host nowhere in it"):
        hosts(inventory, ["near", "nowhere"])


def test_what_an_inventory_prints_is_no_host(inventory: str) -> None:
    with open(inventory, "a") as file:
        file.write("print('[]')\n")
    assert hosts(inventory, ["near"]) == ["mx1.example.org"]


def test_many_hosts_are_not_all_named() -> None:
    assert named(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert named(["a", "b"], most=2) == "a, b"
