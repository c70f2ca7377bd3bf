"""What a login needs of saslauthd, for all the ways whose passwords it checks. Pure; no host."""

from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from tasks.layer import Account, Heard, Layer, exits_well, first_line

SOCKET = "/run/saslauthd/mux"
LISTENS = f"saslauthd listens on {SOCKET}"
REACHED = "user postfix may reach that socket"
OUTSIDE = "Postfix's smtpd runs outside the chroot, where that socket is"

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


def layers(account: Account | None, rests_on: Sequence[str] = ()) -> Iterator[Layer]:
    """Walk from the daemon to its answer to Postfix, which the last layer is.

    :param rests_on: layers of whom it asks, without which it can let nobody in
    """
    yield Layer(
        LISTENS,
        f"ss -Hxl | grep -qF ' {SOCKET} ' || {{ echo it is $(systemctl is-active saslauthd); false; }}",
        exits_well("see journalctl -u saslauthd, and deploy"),
    )
    yield Layer(
        REACHED,
        f"runuser -u postfix -- test -w {SOCKET} || {{ echo its groups are $(id -nG postfix); false; }}",
        exits_well("that has to be one of them which owns /run/saslauthd, sasl; deploy"),
        [LISTENS],
    )
    yield Layer(OUTSIDE, "postconf -F '*/inet/chroot'", judge_chroot, [REACHED])
    if account:
        yield Layer(
            f"saslauthd takes {account.login}'s password, as testsaslauthd would see",
            ASK,
            judge_answer,
            [OUTSIDE, *rests_on],
            secret=question(account),
        )


def question(account: Account) -> SecretStr:
    """Write what saslauthd is asked; the realm is behind the last @, as libsasl has it."""
    user, at, realm = account.login.rpartition("@")
    parts = [user if at else account.login, realm if at else "", account.password.get_secret_value()]
    return SecretStr("\0".join(parts))


def judge_chroot(heard: Heard) -> str:
    """Name the services that are in the chroot (postconf(1), -F)."""
    users = {f"{name}/inet/chroot = y" for name in ("smtp", "submission", "submissions")}
    if inside := sorted(users & set(heard.text.splitlines())):
        return f"{', '.join(line.partition('/')[0] for line in inside)} in master.cf is in it; deploy"
    return exits_well("see postfix check")(heard)


def judge_answer(heard: Heard) -> str:
    """Tell what saslauthd answers."""
    if heard.text.startswith("OK"):
        return ""
    if heard.text.startswith("NO"):
        return "it says no; the password is wrong, the account locked, or see journalctl -u saslauthd"
    return f"{first_line(heard.text) or 'no answer'}; see journalctl -u saslauthd"
