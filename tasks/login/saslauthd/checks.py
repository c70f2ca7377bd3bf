"""What a login needs of saslauthd, for all the ways whose passwords it checks. Pure; no host."""

from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from tasks.login import socket_checks as socket_checks
from tasks.part.check import Account, Check, Result, first_line

SOCKET = "/run/saslauthd/mux"

# testsaslauthd(8) takes the password as an argument, for all to see. This says the same to the same socket
# as Postfix's user: login, password, service and realm, each after its length in two octets.
ASK = f"""
base64 -d | runuser -u postfix -- perl -MSocket -e '
  alarm 15; binmode STDIN; local $/; my $s; my ($login, $realm, $password) = split /\\0/, <STDIN>, 3;
  socket($s, PF_UNIX, SOCK_STREAM, 0) && connect($s, sockaddr_un("{SOCKET}")) or die "$!\\n";
  syswrite $s, pack "(n/a*)4", $login, $password, "smtp", $realm;
  sysread $s, my $length, 2 or die "it hung up without an answer\\n";
  sysread $s, my $answer, unpack "n", $length; print $answer'
"""


def checks(account: Account | None, needs: Sequence[str] = ()) -> Iterator[Check]:
    """Walk from the daemon to its answer to Postfix, which the last check is.

    :param needs: checks of whom it asks, without which it can let nobody in
    """
    yield from socket_checks.checks("saslauthd", SOCKET, "saslauthd")
    if account:
        yield Check(
            f"saslauthd takes {account.login}'s password, as testsaslauthd would see",
            ASK,
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
