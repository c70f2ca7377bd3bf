"""Whether a relay's layers answer, from what checks passwords up to the ports."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

from tasks.postfix.facts import MASTER_PID

# What is new may take a moment, and a directory may be busy: while Postfix runs, each is asked again for ten
# seconds. Who is silent is waited for longer: a host that has much to do is not broken. A check says in $said
# what is wrong.
SETTLED = r"""
PATIENCE=10
SILENCE=30
runs() { kill -0 $(<MASTER_PID); } 2>/dev/null
settled() {
  until said=; "$@"; test -z "$said" || ((SECONDS >= PATIENCE)) || ! runs; do sleep 1; done
  test -z "$said" || echo "$said"
}
master() { runs || said="Postfix does not run; see postfix check, and journalctl -u 'postfix*'"; }
""".replace("MASTER_PID", MASTER_PID)

# QUIT ends the conversation, for openssl does not end with its input (s_client(1), -quiet). It is sent after
# the answer: what comes before is refused (smtpd_forbid_unauth_pipelining). No certificate is judged here,
# and to read all authorities that Debian trusts is most of what openssl would compute.
PORTS = r"""
converse() {
  coproc openssl s_client -quiet -no-CAfile -no-CApath -no-CAstore -connect "localhost:$1" $2 2>&1
  exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
  printf 'EHLO localhost\r\n' >&3
  while read -r -t $SILENCE line <&4; do
    echo "${line%$'\r'}"
    case $begun$line in
      250-*) begun=begun;;  # openssl shows the last line of what was said before STARTTLS too
      'begun250 '*) printf 'QUIT\r\n' >&3;;
    esac
  done
  kill "$COPROC_PID" 2>/dev/null  # one that is silent
}
# port, how TLS begins, logins, name in the log
offers() {
  local line greeted= offered= last=
  while read -r line; do
    case $line in
      221*) continue;;
      250[-\ ]AUTH\ *) offered=${line#250?AUTH };;
      250\ *) greeted=yes;;
    esac
    last=$line
  done < <(converse "$1" "$2" 2>&1)
  test "$greeted" && same "$offered" "$3" ||
    said="port $1 does not offer the logins '$3' over TLS but '$offered'; it ends with '${last:-silence}'; \
see Postfix's log, postfix/$4"
}
# the same words, in whatever order
same() {
  local word left=" $1 "
  for word in $2; do
    case $left in *" $word "*) left=${left/ $word / };; *) return 1;; esac
  done
  test -z "${left// /}"
}
"""

# Up to the recipient a message needs every part that rewrites it; it is then given up, and never sent.
REWRITING = r"""
rewrites() {
  local answers=$(
    exec 2>&1
    exec 3<>/dev/tcp/127.0.0.1/10587 || exit
    read -r -t $SILENCE answer <&3 || exit
    for line in 'HELO localhost' 'MAIL FROM:<>' 'RCPT TO:<postmaster>' QUIT; do
      printf '%s\r\n' "$line" >&3; read -r -t $SILENCE answer <&3 || exit; echo "${answer%$'\r'}"
    done)
  case $answers in *'250 2.1.5'*) ;; *)
    answers=${answers##*$'\n'}
    said="the trace header's rewriting does not work: '${answers:-silence}'; \
see Postfix's log, postfix/cleanup";;
  esac
}
"""


class Health(FactBase[list[str]]):
    """Ask every layer of the relay for an answer; what is wrong comes back, one line each."""

    default = list

    @override
    def command(self, password_check: str, mechanisms: Iterable[str], auth_on_25: bool) -> StringCommand:
        logins = " ".join(sorted(mechanisms))
        checks = [
            "passwords",
            "master",
            "rewrites",
            f"offers 25 '-starttls smtp' '{logins if auth_on_25 else ''}' smtpd",
            f"offers 465 '' '{logins}' submissions/smtpd",
            f"offers 587 '-starttls smtp' '{logins}' submission/smtpd",
        ]
        passwords = f"passwords() {{ said=$(\n{password_check}); }}\n"
        asked = "".join(f"settled {check} &\n" for check in checks)
        return StringCommand(
            "bash -c", QuoteString(SETTLED + passwords + PORTS + REWRITING + asked + "wait\n")
        )

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)
