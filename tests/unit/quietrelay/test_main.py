"""The command says what it takes, what it does and what is wrong, in words that a person can follow."""

from pathlib import Path

import pytest

from tests.unit.quietrelay.command import UNREACHABLE, quietrelay

ON_INVENTORIES = ["plan", "deploy", "rollback", "remove", "drift", "verify", "doctor"]
WITHOUT_ASKING = {"deploy": ["--yes"], "rollback": ["--yes"], "remove": ["--yes"]}


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory that is in order."""
    (tmp_path / "prod.py").write_text(UNREACHABLE)
    return tmp_path / "prod.py"


def assert_refused(directory: Path, words: list[str], *told: str) -> None:
    """Run the command and expect one line, which tells all this, in this order."""
    done = quietrelay(directory, *words)
    assert done.returncode == 2, done.stdout
    (line,) = done.stdout.splitlines()
    assert line.startswith("Error: ")
    for part in told:
        _, found, line = line.partition(part)
        assert found, f"{part!r} is not told, or not there: {done.stdout}"


def test_help_lists_the_commands_as_one_comes_to_need_them(tmp_path: Path) -> None:
    done = quietrelay(tmp_path, "--help")
    assert done.returncode == 0
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == ["new", *ON_INVENTORIES[:-1], "privacy", "doctor"]
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", ON_INVENTORIES)
def test_every_command_refuses_an_inventory_that_is_not_there(tmp_path: Path, command: str) -> None:
    words = [command, "gone.py", *WITHOUT_ASKING.get(command, [])]
    assert_refused(tmp_path, words, "gone.py: there is no such file", "correct the path")


@pytest.mark.parametrize("command", ON_INVENTORIES)
def test_every_command_refuses_a_host_that_the_inventory_does_not_have(inventory: Path, command: str) -> None:
    words = [command, "prod.py", "--limit", "mx9.relay.test", *WITHOUT_ASKING.get(command, [])]
    told = ("prod.py", "no host mx9.relay.test", "there is mx1.relay.test, mx2.relay.test")
    assert_refused(inventory.parent, words, *told)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("prod.txt", UNREACHABLE, ("prod.txt does not end in .py", "name an inventory")),
        ("prod.py", "relays = (\n", ("prod.py line 1 is not Python", "never closed", "correct it")),
        ("prod.py", "\n\nrelays = [nobody]\n", ("prod.py line 3", "'nobody' is not defined", "correct")),
        ("prod.py", "import nothing_there\n", ("prod.py line 1", "No module named", "correct")),
        ("prod.py", "relays = []\n", ("prod.py: there is no host in it", "add one")),
        ("prod.py", UNREACHABLE.replace("servers", "severs"), ("prod.py line 8", "did you mean servers?")),
        ("prod.py", UNREACHABLE.replace('"login"', '"logn"'), ("prod.py (mx1", "login is missing", "add")),
        (
            "prod.py",
            UNREACHABLE.replace('"ssh_port": 9', '"ssh_key": "~/none"'),
            ("prod.py (mx1.relay.test): ssh_key: there is no file ~/none", "correct the path"),
        ),
        ("prod.py", "\0", ("prod.py is not Python",)),
    ],
    ids=["extension", "syntax", "name", "import", "no host", "setting", "section", "key", "binary"],
)
def test_an_inventory_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str, told: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(text)
    assert_refused(tmp_path, ["plan", name], *told)


def test_a_directory_is_no_inventory(tmp_path: Path) -> None:
    (tmp_path / "relays").mkdir()
    assert_refused(tmp_path, ["plan", "relays"], "relays is a directory", "relays/prod.py")


def test_a_file_that_cannot_be_read_is_no_inventory(tmp_path: Path) -> None:
    (tmp_path / "prod.py").symlink_to("/proc/self/mem")  # root may read all else
    assert_refused(tmp_path, ["plan", "prod.py"], "prod.py cannot be read", "correct its rights or the path")


@pytest.mark.parametrize("command", ["verify", "doctor"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--password-file", "x"], ("--password-file belongs to --user NAME", "add that")),
        (["--user", "alice", "--password-file", "gone"], ("gone: No such file",)),
    ],
    ids=["nobody's", "missing"],
)
def test_a_password_that_cannot_be_had_is_told(
    inventory: Path, command: str, words: list[str], told: tuple[str, ...]
) -> None:
    assert_refused(inventory.parent, [command, "prod.py", *words], *told)


def test_nobody_is_deployed_to_without_a_yes(inventory: Path) -> None:
    assert_refused(inventory.parent, ["deploy", "prod.py"], "no terminal to ask you at", "add --yes")
    assert_refused(inventory.parent, ["rollback", "prod.py"], "no terminal to ask you at", "add --yes")


@pytest.mark.parametrize(
    ("command", "underneath"),
    [
        (["plan", "prod.py"], "pyinfra prod.py {deploy} --dry"),
        (["plan", "prod.py", "--limit", "mx2*"], "pyinfra prod.py {deploy} --dry --limit 'mx2*'"),
        (["deploy", "prod.py", "--yes"], "pyinfra -y prod.py {deploy}"),
        (["rollback", "prod.py", "--yes"], "pyinfra -y prod.py {rollback}"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_hosts_that_cannot_be_reached_are_named_below_the_command_that_was_run(
    inventory: Path, pytestconfig: pytest.Config, command: list[str], underneath: str
) -> None:
    done = quietrelay(inventory.parent, *command)
    assert done.returncode == 1, done.stdout
    shown, *said = done.stdout.splitlines()
    assert shown.startswith("$ ")
    programs = {name: pytestconfig.rootpath / f"{name}.py" for name in ("deploy", "rollback")}
    assert shown.endswith(underneath.format(**programs))
    hosts = "mx2.relay.test" if "--limit" in command else "mx1.relay.test, mx2.relay.test"
    assert said[-5:-2] == ["", hosts, "  not reached"]
    assert "Nothing was changed." in said[-1]
