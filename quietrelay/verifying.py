"""Verifies relays: pytest with the tests that change nothing."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from quietrelay import summary, underneath
from quietrelay.outcome import HOSTS
from quietrelay.places import VERIFICATION
from quietrelay.refusal import Refusal

PASSWORD = "QUIETRELAY_PASSWORD"  # noqa: S105  the name of a variable
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Plugins that are installed beside take seconds to import, and none is needed here."""
SAFE = ["-m", "not changes_the_relay and not bulk"]


def verify(
    inventory: str,
    hosts: Sequence[str],
    limited: bool,
    login: tuple[str | None, str | None],
    ca: str | None,
    days: int | None,
    as_json: bool,
    report: str | None,
    more: Sequence[str],
) -> int:
    """Look at relays and talk to them, and give pytest's exit status.

    :param hosts: which
    :param limited: whether these are fewer than the inventory has
    :param login: who logs in as well, and the file with the password
    :param ca: file with a CA that is trusted as well
    :param days: for how many certificates have to be valid still; by default as the inventory says
    :param as_json: whether what was found is printed for a program, and nothing else
    :param report: file for a page about it
    :param more: words for pytest
    :raises Refusal: where the password cannot be had, or the CA cannot be read
    """
    if ca:
        _readable("--ca", ca)
    file = _writable(report) if report else None
    name, password_file = login
    environment = {HOSTS: "\n".join(hosts), **ALONE, **_password(name, password_file)}
    words = [underneath.shortest(VERIFICATION), "--inventory", inventory, *SAFE]
    words += [word for host in hosts if limited for word in ("--limit", host)]
    words += ["--login", name] if name else []
    words += ["--password-file", password_file] if password_file else []
    words += ["--ca", ca] if ca else []
    words += ["--days", str(days)] if days is not None else []
    words += more
    run = ["pytest", "-p", "quietrelay.under_pytest", "-q", "-rN", "--tb=no", *words]
    if not as_json:
        underneath.show_command("pytest", *words)
    ended = underneath.run(run, environment, quiet=as_json)
    if file:
        from quietrelay import report as page  # which reads much that nobody else needs

        page.write(file, inventory, hosts[0], ended.outcomes, ended.status)
    if as_json:
        click.echo(json.dumps({"status": ended.status, "relays": [asdict(one) for one in ended.outcomes]}))
    else:
        underneath.tell(ended, summary.of_verification(ended.outcomes, ended.status))
    return ended.status


def _password(name: str | None, password_file: str | None) -> dict[str, str]:
    """Ask for the password where it is known from nowhere; a process's environment is for its user alone."""
    if password_file:
        _readable("--password-file", password_file)
    if not name or password_file or PASSWORD in os.environ:
        return {}
    return {PASSWORD: str(click.prompt(f"Password of {name}", hide_input=True, err=True))}


def _readable(option: str, file: str) -> None:
    """Refuse a file that cannot be read, before anything is done.

    :raises Refusal: saying why
    """
    try:
        Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Refusal(f"{option} {file}: {reason}") from None


def _writable(file: str) -> Path:
    """Make sure that a page can be written, before anything is looked at.

    :raises Refusal: saying why it cannot
    """
    path = Path(file)
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise Refusal(f"--report {file}: {error.strerror}; name a file in a directory of yours") from None
    return path
