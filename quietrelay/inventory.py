"""Reads an inventory before anything else is done, and says in one line why it cannot be used."""

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from traceback import extract_tb

import click

from quietrelay.refusal import Refusal

MOST_NAMED = 5  # hosts in an error


def hosts(path: str, limits: Sequence[str] = ()) -> list[str]:
    """Name the relays of an inventory, as the deploy would find them, in its order.

    pyinfra's command line reads it, in a process of its own: it makes all threads of a process gevent's.

    :param limits: hosts' names, groups or patterns, as ``pyinfra --limit`` takes them; all hosts without any
    :raises Refusal: where it cannot be read, a setting in it is wrong, or it has no such host
    """
    _look(path)
    words = [sys.executable, "-P", "-m", "quietrelay.inventory", path, *limits]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    *_, said = done.stdout.splitlines() or [""]  # an inventory may print lines of its own before
    if done.returncode == Refusal.exit_code:
        raise Refusal(said)
    if done.returncode:
        raise Refusal(f"{path} cannot be read: see the error above")
    return list(json.loads(said))


def _look(path: str) -> None:
    """Refuse what is no Python file that can be read.

    :raises Refusal: saying what is wrong with it
    """
    file = Path(path)
    if not file.exists():
        raise Refusal(f"{path}: there is no such file; correct the path, or make one with quietrelay new")
    if file.is_dir():
        raise Refusal(f"{path} is a directory; name the inventory in it, {file / 'prod.py'} say")
    if file.suffix != ".py":
        raise Refusal(f"{path} does not end in .py; name an inventory, which is a file in Python")
    try:
        ast.parse(file.read_bytes())
    except OSError as error:
        reason = (error.strerror or "it cannot be").lower()
        raise Refusal(f"{path} cannot be read ({reason}); correct its rights or the path") from None
    except SyntaxError as error:
        line = f" line {error.lineno}" if error.lineno else ""
        raise Refusal(f"{path}{line} is not Python ({error.msg}); correct it") from None
    except ValueError:  # null bytes
        raise Refusal(f"{path} is not Python (it is no text); name another file") from None


def _read(path: str, limits: list[str]) -> list[str]:
    from pyinfra.api import Host, State
    from pyinfra.api.exceptions import PyinfraError
    from pyinfra.context import ctx_state
    from pyinfra_cli.exceptions import UnexpectedExternalError
    from pyinfra_cli.inventory import make_inventory

    from tasks import settings

    def fits(host: Host, limit: str) -> bool:
        return limit in host.groups or fnmatch(host.name, limit)

    logging.getLogger("pyinfra").setLevel(logging.ERROR)  # it warns again when it runs
    sys.path.append(".")  # as pyinfra does
    try:
        with ctx_state.use(State()):  # where pyinfra notes which file it reads
            found = list(make_inventory(path))
        chosen = [host for host in found if not limits or any(fits(host, limit) for limit in limits)]
        for host in chosen:
            settings.of(host)
            key = host.data.get("ssh_key")  # pyinfra would show a traceback
            if key and not Path(key).expanduser().is_file():
                raise Refusal(f"{path} ({host.name}): ssh_key: there is no file {key}; correct the path")
    except UnexpectedExternalError as error:
        raise Refusal(_broken(path, error.exception)) from None
    except (PyinfraError, click.ClickException) as error:
        raise Refusal(str(error)) from None
    if not found:
        raise Refusal(f"{path}: there is no host in it; add one to relays, as in inventories/prod.py")
    for limit in limits:
        if not any(fits(host, limit) for host in found):
            raise Refusal(
                f"{path}: there is no host {limit} in it; there is {named(host.name for host in found)}"
            )
    return [host.name for host in chosen]


def _broken(path: str, error: BaseException) -> str:
    """Say where an inventory's own code failed."""
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == path]
    where = f"{path} line {lines[-1]}" if lines else path
    return f"{where}: {type(error).__name__}: {' '.join(str(error).split())}; correct that line"


def named(hosts: Iterable[str], most: int = MOST_NAMED) -> str:
    """Name hosts, but not all where they are many."""
    names = list(hosts)
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


if __name__ == "__main__":
    try:
        print(json.dumps(_read(sys.argv[1], sys.argv[2:])))
    except Refusal as refusal:
        print(refusal.message)
        sys.exit(Refusal.exit_code)
