"""A fleet, as the inventory tells of it: what it takes, and what becomes of it on a host."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tasks.inventory.operator_files import OperatorFileError
from tasks.inventory.section import SettingsError
from tasks.part import File, Part
from tasks.part.check import Result
from tasks.privacy import fleet
from tasks.settings import Privacy

RELAYS = ("192.0.2.11", "2001:db8::12")


def of(key: Path, **settings: Any) -> Privacy:
    told = {"fleet": RELAYS, "fleet_key_file": str(key), "ids_domain": "mail.example.org"}
    return Privacy(**told | settings)


def written(path: str, part: Part) -> str:
    file = part.files[path]
    assert isinstance(file, File)
    content = file.content()
    return content.get_secret_value() if isinstance(content, SecretStr) else content


def test_a_relay_alone_has_nothing_of_it() -> None:
    assert fleet.part(Privacy()) == Part()


def test_a_fleet_has_its_key_for_root_alone_and_lets_in_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 44 + "\n")
    part = fleet.part(of(tmp_path / "key"))
    assert written(fleet.KEY, part) == "k" * 44 + "\n"
    key = part.files[fleet.KEY]
    assert isinstance(key, File)
    assert key.mode == "600"
    unit = written(fleet.UNIT, part).splitlines()
    assert "IPAddressDeny=any" in unit
    assert f"IPAddressAllow={' '.join(RELAYS)}" in unit
    assert f"LoadCredential=fleet:{fleet.KEY}" in unit


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("too-short-a-secret\n")
    with pytest.raises(OperatorFileError, match="fewer than 32 characters; write one") as error:
        written(fleet.KEY, fleet.part(of(tmp_path / "key")))
    assert "too-short" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"fleet_key_file": None}, "give fleet_key_file and ids_domain"),
        ({"ids_domain": None}, "give fleet_key_file and ids_domain"),
        ({"ids_known_days": None}, "leave ids_known_days at a number"),
        ({"fleet": ()}, "name the relays that have it in fleet"),
        ({"fleet": ("mx2.example.org",)}, "'mx2.example.org' is not an address"),
        ({"fleet_port": 25}, "fleet_port"),
    ],
)
def test_what_is_no_fleet_is_refused(tmp_path: Path, settings: dict[str, Any], complaint: str) -> None:
    (tmp_path / "key").write_text("k" * 44 + "\n")
    with pytest.raises(SettingsError, match=complaint):
        of(tmp_path / "key", **settings)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Result(True, ""), ""),
        (Result(True, "192.0.2.11\t\n"), ""),
        (Result(False, "No such file"), "nobody is asked; see journalctl -u quietrelay-fleet"),
        (Result(True, "192.0.2.11\t\n2001:db8::12\tit refuses to be asked\n"), "2001:db8::12: it refuses"),
    ],
)
def test_the_doctor_names_who_is_not_heard(result: Result, words: str) -> None:
    assert fleet.judge(result).startswith(words)
    assert bool(fleet.judge(result)) == bool(words)
