"""The command lines, as a person uses them: pyinfra's, and the program's own.

A run of pyinfra spends most of its time on imports, and the tests have over a hundred. A server imports it
once, and forks for each run (multiprocessing's forkserver). What is under test each run imports anew.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lab.process import ODD_BYTES

ROOT = Path(__file__).parents[2]
PATIENCE = 600  # seconds
IMPORTED = ["pyinfra_cli.main", "pydantic", "cryptography.x509", "jinja2"]

_context = get_context("forkserver")
_context.set_forkserver_preload(IMPORTED)


def quietrelay(*words: str, cwd: Path = ROOT, **streams: Any) -> "subprocess.CompletedProcess[str]":
    """Run what ``quietrelay WORDS`` would in a directory, without input, and give what it printed.

    :param streams: what differs, by subprocess.run's names
    :raises subprocess.TimeoutExpired: when it does not end
    """
    told = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run(
        [sys.executable, "-P", "-m", "quietrelay", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "LINES": "24"},
        text=True,
        errors=ODD_BYTES,
        timeout=PATIENCE,
        check=False,
        **told,
    )


def pyinfra(words: Sequence[str], cwd: Path, timeout: float) -> "subprocess.CompletedProcess[str]":
    """Run what ``python -m pyinfra WORDS`` would in a directory, without input.

    :raises subprocess.TimeoutExpired: when it takes longer, in seconds
    """
    with TemporaryDirectory() as directory:
        said = [Path(directory) / name for name in ("output", "errors")]
        process = _context.Process(target=_run, args=(words, str(cwd), dict(os.environ), *map(str, said)))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), timeout)
        output, errors = (path.read_text(encoding="utf-8", errors=ODD_BYTES) for path in said)
    return subprocess.CompletedProcess(list(words), process.exitcode, output, errors)


def _run(words: Sequence[str], cwd: str, environment: dict[str, str], output: str, errors: str) -> None:
    """Be pyinfra's command line."""
    for number, path in enumerate((os.devnull, output, errors)):
        flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        os.dup2(os.open(path, flags), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115  for good
    os.environ.clear()
    os.environ.update(environment)  # the server's is that of its start
    os.chdir(cwd)
    sys.path.insert(0, cwd)
    sys.argv = ["pyinfra", *words]
    from pyinfra_cli.main import main

    try:
        main()  # type: ignore[no-untyped-call]
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
