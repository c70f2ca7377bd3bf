"""A package that was installed with the answer not to set it up is set up, and no other."""

from typing import Any

import pytest
from pyinfra.facts.deb import DebPackages

from tasks.host.operations import debconf

MAIN_CF = "/etc/postfix/main.cf"


class Host:
    """Stands in for pyinfra's host in an operation."""

    def __init__(self, packages: list[str], files: list[str]) -> None:
        self.packages, self.files = packages, files
        self.name = "relay"

    def get_fact(self, fact: type, path: str = "") -> Any:
        if fact is DebPackages:
            return dict.fromkeys(self.packages)
        return {"size": 0} if path in self.files else None

    def noop(self, reason: str) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("packages", "files", "acts"),
    [(["postfix"], [], True), (["postfix"], [MAIN_CF], False), ([], [], False), ([], [MAIN_CF], False)],
)
def test_package_is_set_up_only_where_that_was_left_out(
    monkeypatch: pytest.MonkeyPatch, packages: list[str], files: list[str], acts: bool
) -> None:
    monkeypatch.setattr(debconf, "host", Host(packages, files))
    monkeypatch.setattr(debconf.differences, "tell", lambda *words: None)
    questions = {"postfix/main_mailer_type": ("select", "Internet Site")}
    commands = [str(command) for command in debconf.set_up._inner("postfix", questions, MAIN_CF)]
    assert commands == (
        [
            r"printf '%s\n' 'postfix postfix/main_mailer_type select Internet Site' | debconf-set-selections",
            "dpkg-reconfigure -f noninteractive postfix",
        ]
        if acts
        else []
    )
