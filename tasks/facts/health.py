"""Whether a relay's layers answer, from saslauthd up to the ports."""

from collections.abc import Iterable

from pyinfra.api import FactBase
from typing_extensions import override

# saslauthd answers a login that it refuses too: "NO" is an answer, no connection is none (testsaslauthd(8)).
SASLAUTHD = """\
testsaslauthd -u nobody -p nothing 2>&1 | grep -q '"' ||
  echo "saslauthd does not answer on /run/saslauthd/mux; see journalctl -u saslauthd"
runuser -u postfix -- test -S /run/saslauthd/mux ||
  echo "user postfix cannot reach saslauthd; see the rights of /run/saslauthd, and group sasl"
"""

MASTER = """\
kill -0 $(cat /var/spool/postfix/pid/master.pid) 2>/dev/null ||
  echo "Postfix does not run; see postfix check, and journalctl -u 'postfix*'"
"""

# openssl closes the conversation at the end of its input, so that stays open until the answer is there; and a
# new listener may take a moment, so it is asked again, for five seconds at most.
PORTS = """\
talk() {
  { printf 'EHLO localhost\\r\\n'; sleep 1; } |
    timeout 10 openssl s_client -quiet -connect "localhost:$1" $2 2>&1
}
expect() {
  for again in 1 2 3 4 5; do
    said=$(talk "$1" "$2")
    case "$said" in *"$3"*) return;; esac
    sleep 1
  done
  echo "port $1 does not say '$3' over TLS but '$(echo "$said" | tail -n 1 | tr -d '\\r')'; \
see journalctl -t postfix/$4"
}
"""


class Health(FactBase[list[str]]):
    """Ask every layer of the relay for an answer; what is wrong comes back, one line each."""

    default = list

    @override
    def command(self, auth_on_25: bool) -> str:
        on_25 = "AUTH PLAIN LOGIN" if auth_on_25 else "250"
        return (
            SASLAUTHD
            + MASTER
            + PORTS
            + f"expect 25 '-starttls smtp' '{on_25}' smtpd & "
            + "expect 465 '' 'AUTH PLAIN LOGIN' submissions/smtpd & "
            + "expect 587 '-starttls smtp' 'AUTH PLAIN LOGIN' submission/smtpd & wait"
        )

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)
