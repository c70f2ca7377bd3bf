"""Answers to what Debian packages ask at their installation."""

from collections.abc import Generator, Mapping

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation
from pyinfra.facts.deb import DebPackages
from pyinfra.facts.files import File

from tasks.host import differences


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
    differences.tell(f"package {package}", "is not installed")
    yield _set(package, questions)


@operation()
def set_up(
    package: str, questions: Mapping[str, tuple[str, str]], makes: str
) -> Generator[StringCommand, None, None]:
    """Have a package set itself up that was installed with the answer not to (dpkg-reconfigure(8)).

    + package: the package that asks
    + questions: question to its type and answer
    + makes: file that is there once it is set up
    """
    if package not in host.get_fact(DebPackages) or host.get_fact(File, path=makes) is not None:
        host.noop(f"{package} is set up, or not installed")
        return
    differences.tell(makes, "is not there")
    yield _set(package, questions)
    yield StringCommand("dpkg-reconfigure -f noninteractive", QuoteString(package))


def _set(package: str, questions: Mapping[str, tuple[str, str]]) -> StringCommand:
    lines = [f"{package} {question} {kind} {answer}" for question, (kind, answer) in questions.items()]
    return StringCommand("printf '%s\\n'", *map(QuoteString, lines), "| debconf-set-selections")
