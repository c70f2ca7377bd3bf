"""Answers to what Debian packages ask at their installation."""

from collections.abc import Generator, Mapping

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.deb import DebPackages


@operation()
def answers(package: str, questions: Mapping[str, tuple[str, str]]) -> Generator[StringCommand, None, None]:
    """Answer a package's questions before it is installed (debconf-set-selections(1)).

    Once the package is there its configuration is not debconf's business any more.

    + package: the package that asks
    + questions: question to its type and answer
    """
    if package in host.get_fact(DebPackages):
        host.noop(f"{package} is installed, and asks nothing")
        return
    lines = [f"{package} {question} {kind} {answer}" for question, (kind, answer) in questions.items()]
    yield StringCommand("printf '%s\\n'", *map(QuoteString, lines), "| debconf-set-selections")
