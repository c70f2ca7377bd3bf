"""What a login needs of saslauthd, for all the ways whose passwords it checks. Pure; no host."""

from collections.abc import Iterator, Sequence
from shlex import quote

from pydantic import SecretStr

from tasks.host.templates import program
from tasks.login import socket_checks
from tasks.part.check import Account, Check, Result, first_line

SOCKET = "/run/saslauthd/mux"


def checks(account: Account | None, needs: Sequence[str] = ()) -> Iterator[Check]:
    """Walk from the daemon to its answer to Postfix, which the last check is.

    :param needs: checks of whom it asks, without which it can let nobody in
    """
    yield from socket_checks.checks("saslauthd", SOCKET, "saslauthd")
    if account:
        yield Check(
            f"saslauthd takes {account.login}'s password, as testsaslauthd would see",
            f"runuser -u postfix -- python3 -I -c {quote(program('ask_saslauthd.py'))}",
            judge_answer,
            [socket_checks.OUTSIDE, *needs],
            secret=question(account),
        )


def question(account: Account) -> SecretStr:
    """Write what saslauthd is asked; the realm is behind the last @, as libsasl has it."""
    user, at, realm = account.login.rpartition("@")
    parts = [user if at else account.login, realm if at else "", account.password.get_secret_value()]
    return SecretStr("\0".join(parts))


def judge_answer(result: Result) -> str:
    """Tell what saslauthd answers."""
    if result.output.startswith("OK"):
        return ""
    if result.output.startswith("NO"):
        return "it says no; the password is wrong, the account locked, or see journalctl -u saslauthd"
    return f"{first_line(result.output) or 'no answer'}; see journalctl -u saslauthd"
