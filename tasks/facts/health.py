"""Whether a relay's layers answer, from what checks passwords up to the ports."""

from collections.abc import Iterable

from pyinfra.api import FactBase
from typing_extensions import override

MASTER = """\
kill -0 $(cat /var/spool/postfix/pid/master.pid) 2>/dev/null ||
  echo "Postfix does not run; see postfix check, and journalctl -u 'postfix*'"
"""

# A listener that is new may take a moment, so each is asked again, for five seconds at most. QUIT ends the
# conversation, for openssl does not end with its input (s_client(1), -quiet). It is sent after the answer:
# what comes before is refused (smtpd_forbid_unauth_pipelining). No certificate is judged here, and to read
# all authorities that Debian trusts is most of what openssl would compute.
PORTS = r"""
converse() {
  timeout 10 bash -c '
    coproc openssl s_client -quiet -no-CAfile -no-CApath -no-CAstore -connect "localhost:$0" $1 2>&1
    exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
    printf "EHLO localhost\r\n" >&3
    while read -r said <&4; do
      echo "$said"
      case "$begun$said" in
        250-*) begun=begun;;  # openssl shows the last line of what was said before STARTTLS too
        "begun250 "*) printf "QUIT\r\n" >&3;;
      esac
    done' "$@" 2>&1
}
expect() {
  for again in 1 2 3 4 5; do
    said=$(converse "$1" "$2" | tr -d '\r')
    offered=$(echo "$said" | sed -n 's/^250[- ]AUTH //p' | tr ' ' '\n' | LC_ALL=C sort | xargs)
    case "$said" in *"250 "*) test "$offered" = "$3" && return;; esac
    sleep 1
  done
  echo "port $1 does not offer the logins '$3' over TLS but '$offered'; it ends with \
'$(echo "$said" | grep -v ^221 | tail -n 1)'; see Postfix's log, postfix/$4"
}
"""

# Up to the recipient a message needs every part that rewrites it; it is then given up, and never sent.
REWRITING = """\
said=$(timeout 10 bash -c '
  exec 3<>/dev/tcp/127.0.0.1/10587 && read -r said <&3
  for line in "HELO localhost" "MAIL FROM:<>" "RCPT TO:<postmaster>" QUIT; do
    printf "%s\\r\\n" "$line" >&3; read -r said <&3; echo "$said"
  done' 2>&1)
case "$said" in *"250 2.1.5"*) ;; *)
  echo "the trace header's rewriting does not work: '$(echo "$said" | tail -n 1 | tr -d '\\r')'; \
see Postfix's log, postfix/cleanup";;
esac
"""


class Health(FactBase[list[str]]):
    """Ask every layer of the relay for an answer; what is wrong comes back, one line each."""

    default = list

    @override
    def command(self, password_check: str, mechanisms: Iterable[str], auth_on_25: bool) -> str:
        offers = " ".join(sorted(mechanisms))
        asked = [
            password_check,
            MASTER,
            REWRITING,
            f"expect 25 '-starttls smtp' '{offers if auth_on_25 else ''}' smtpd\n",
            f"expect 465 '' '{offers}' submissions/smtpd\n",
            f"expect 587 '-starttls smtp' '{offers}' submission/smtpd\n",
        ]
        return PORTS + "".join(f"{{\n{one}}} &\n" for one in asked) + "wait\n"

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)
