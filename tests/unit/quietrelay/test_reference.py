"""The reference has each command as the command itself tells it."""

from quietrelay import reference
from quietrelay.main import quietrelay


def test_every_command_is_told() -> None:
    told = reference.told()
    assert told.startswith("```text\nUsage: quietrelay [OPTIONS]")
    assert [name for name in quietrelay.commands if f"Usage: quietrelay {name} " not in told] == []
