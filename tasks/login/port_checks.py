"""What a login needs of Postfix: that it runs, and lets the user in on each port. Pure; no host."""

import re
from collections.abc import Callable, Iterator

from pydantic import SecretStr

from tasks.part.check import Account, Check, Result, exits_well, first_line
from tasks.postfix.facts import MASTER_PID

RUNS = "Postfix runs"

# One conversation under TLS, word by word, for Postfix turns down who does not wait for its answers. What it
# says is printed. What logs in comes by standard input and is written by bash itself: no argument has it.
CONVERSE = """
timeout 5 bash -c '</dev/tcp/localhost/{port}' || exit
coproc relay {{ timeout 30 openssl s_client -quiet -connect localhost:{port} {start_tls} 2>/dev/null; }}
exec 3<&${{relay[0]}} 4>&${{relay[1]}}
say() {{ printf '%s\\r\\n' "$1" >&4; }}
hear() {{
  while IFS= read -r -t 15 line <&3; do
    echo "${{line%$'\\r'}}"
    [[ $line == [0-9][0-9][0-9]' '* ]] && return
  done
}}
{greeting}
say 'EHLO localhost'; hear
{log_in}
say QUIT
"""


def checks(account: Account | None, auth_on_25: bool, needs: str) -> Iterator[Check]:
    """Log in on each port where that is to be possible; without an account, see that it is offered.

    :param auth_on_25: whether that is to be possible on port 25 too
    :param needs: the check that says whether passwords are checked
    """
    script = f"kill -0 $(cat {MASTER_PID}) 2>&1"
    yield Check(RUNS, script, exits_well("see postfix check, and journalctl -u 'postfix*'"))
    for port in (25, 465, 587) if auth_on_25 else (465, 587):
        name = f"port {port} lets {account.login} in" if account else f"port {port} offers a login"
        yield Check(name, conversation(port, account), judge(bool(account)), [RUNS, needs], token(account))


def conversation(port: int, account: Account | None) -> str:
    """Write the script of a conversation."""
    in_tls = port == 465
    return CONVERSE.format(
        port=port,
        start_tls="" if in_tls else "-starttls smtp",
        greeting="hear" if in_tls else "",
        log_in='read -r token; say "AUTH PLAIN $token"; hear' if account else "",
    )


def token(account: Account | None) -> SecretStr | None:
    """Write what AUTH PLAIN sends (RFC 4616 2)."""
    return SecretStr("\0".join(["", account.login, account.password.get_secret_value()])) if account else None


def judge(with_login: bool) -> Callable[[Result], str]:
    """Judge what the relay said."""

    def judged(result: Result) -> str:
        if "Connection refused" in result.output:
            return "nobody listens there; see master.cf and inet_interfaces, and deploy"
        if not re.search(r"^250[ -]", result.output, re.MULTILINE):
            return f"no TLS, or no answer: {first_line(result.output) or 'nothing'}; see Postfix's log"
        if not re.search(r"^250[ -]AUTH ", result.output, re.MULTILINE):
            return "no login is offered there; deploy"
        last = [line for line in result.output.splitlines() if re.match(r"\d{3} ", line)][-1]
        return "" if not with_login or last.startswith("235 ") else f"{last}; see Postfix's log"

    return judged
