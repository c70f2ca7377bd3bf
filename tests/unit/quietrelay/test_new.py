"""An operator's directory is whole, keeps secrets to itself, and never takes the place of something."""

import json
import os
from pathlib import Path

import pytest

from quietrelay.new import make
from quietrelay.places import CLONE, EXAMPLE
from quietrelay.refusal import Refusal
from tests.unit.quietrelay.command import quietrelay, run


def test_what_is_made_is_the_example_with_a_place_for_secrets(tmp_path: Path) -> None:
    directory = tmp_path / "far" / "relays"
    done = quietrelay(tmp_path, "new", "far/relays")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("quietrelay plan far/relays/prod.py\n")
    assert sorted(os.listdir(directory)) == [".gitignore", "README.md", "prod.py", "secrets"]
    assert (directory / "prod.py").read_text() == EXAMPLE.read_text()
    assert (directory / ".gitignore").read_text() == "secrets/\n"


def test_nobody_else_can_look_into_the_place_for_secrets(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("start", ["the clone", "elsewhere"])
def test_files_that_the_inventory_names_lie_beside_it_wherever_pyinfra_starts(
    tmp_path: Path, start: str
) -> None:
    inventory = make(tmp_path / "relays")
    directory, given = (CLONE, inventory) if start == "the clone" else (tmp_path, Path("relays/prod.py"))
    done = run(["pyinfra", str(given), "debug-inventory", "--json"], directory)
    assert done.returncode == 0, done.stdout
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("[")]
    certificates = [host["data"]["certificate"]["CertificateFiles"] for host in json.loads(told)]
    assert [certificate["key"] for certificate in certificates] == [
        str(tmp_path / "relays" / "secrets" / key) for key in ("mx1.key", "mx2.key")
    ]


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(Refusal, match=r"has something in it \(mine\); name one that is new or empty"):
        make(tmp_path)
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize("name", ["relays", "link/relays"])
def test_nothing_of_an_operators_gets_into_the_clone(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(CLONE)
    directory = tmp_path / name if name.startswith("link") else CLONE / name
    with pytest.raises(Refusal, match=r"inside the clone of quietrelay, .*; name a directory elsewhere"):
        make(directory)
    assert not (CLONE / "relays").exists()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "relays"):
        with pytest.raises(Refusal, match=r"cannot be made \(not a directory\); name another one"):
            make(directory)
