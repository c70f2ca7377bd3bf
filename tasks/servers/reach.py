"""Whether servers of somebody else's can be reached from a host, before anything is changed on it.

They are asked as the relay will ask them, up to TLS: with what the host has, and the CA that it is going to
have. A login there needs what is not on the host yet; it is tried when that is written aside.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from shlex import quote
from typing import NamedTuple

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.inventory.operator_files import OperatorFileError
from tasks.part import Ask, File, Made, Result, Server
from tasks.servers.checks import connecting, judge_certificate, judge_connection, shaking_hands

SILENT = 9
"""Exit status that tells that there is no connection."""


class Heard(NamedTuple):
    """What a script said, and its exit status."""

    status: int
    text: str


class Tried(FactBase[Heard]):
    """Run a script that changes nothing (bash(1)), and hear all that it says."""

    @override
    def command(self, script: str) -> StringCommand:
        return StringCommand("bash -c", QuoteString(f'({script}\n) 2>&1; printf "\\n$?\\n"'))

    @override
    def process(self, output: Iterable[str]) -> Heard:
        *said, status = output
        return Heard(int(status), "\n".join(said))


def complain(servers: Iterable[Server], files: Mapping[str, File | Made], ask: Ask) -> Iterator[str]:
    """Say which section's servers do not answer, or do not prove who they are: all of them, for one will do.

    :param files: what the host is going to have
    """
    for section, members in groupby(servers, lambda server: server.section):
        words = {server.url: judge(server, ask(Tried, script=script(server, files))) for server in members}
        if words and all(words.values()):
            yield "; ".join(f"{section}: {url}: {said}" for url, said in words.items())


def judge(server: Server, heard: Heard) -> str:
    """Tell why a server is of no use."""
    judging = judge_connection if heard.status == SILENT else judge_certificate
    return judging(server.section, Result(heard.status == 0, heard.text))


def script(server: Server, files: Mapping[str, File | Made]) -> str:
    """Write what goes up to a server's certificate, if the host has what that needs already."""
    connects = f"{connecting(server)} || exit {SILENT}"
    if server.plain:
        return connects
    trusted, there = quote(server.ca_file), f"test -e {quote(server.ca_file)}"
    if isinstance(file := files.get(server.ca_file), File):
        try:
            content = str(file.content())
        except OperatorFileError:  # which is told by itself
            return connects
        trusted, there = f"<(base64 -d <<<{b64encode(content.encode()).decode()})", "true"
    return f"{connects}\ncommand -v openssl >/dev/null && {there} || exit 0\n{shaking_hands(server, trusted)}"
