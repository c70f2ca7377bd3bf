"""Whether a relay's layers answer, from what checks passwords up to the ports."""

from collections.abc import Iterable

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override

MASTER = """\
kill -0 $(</var/spool/postfix/pid/master.pid) 2>/dev/null ||
  echo "Postfix does not run; see postfix check, and journalctl -u 'postfix*'"
"""

# A listener that is new may take a moment, so each is asked again, for five seconds at most. QUIT ends the
# conversation, for openssl does not end with its input (s_client(1), -quiet). It is sent after the answer:
# what comes before is refused (smtpd_forbid_unauth_pipelining). No certificate is judged here, and to read
# all authorities that Debian trusts is most of what openssl would compute.
PORTS = r"""
PATIENCE=10
converse() {
  coproc openssl s_client -quiet -no-CAfile -no-CApath -no-CAstore -connect "localhost:$1" $2 2>&1
  exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
  printf 'EHLO localhost\r\n' >&3
  while read -r -t $PATIENCE line <&4; do
    echo "${line%$'\r'}"
    case $begun$line in
      250-*) begun=begun;;  # openssl shows the last line of what was said before STARTTLS too
      'begun250 '*) printf 'QUIT\r\n' >&3;;
    esac
  done
  kill "$COPROC_PID" 2>/dev/null  # one that is silent
}
# port, how TLS begins, logins, name in the log
expect() {
  for again in 1 2 3 4 5; do
    greeted='' offered='' last=''
    while read -r line; do
      case $line in
        221*) continue;;
        250[-\ ]AUTH\ *) offered=${line#250?AUTH };;
        250\ *) greeted=yes;;
      esac
      last=$line
    done < <(converse "$1" "$2" 2>&1)
    test "$greeted" && same "$offered" "$3" && return
    sleep 1
  done
  echo "port $1 does not offer the logins '$3' over TLS but '$offered'; it ends with '$last'; \
see Postfix's log, postfix/$4"
}
# the same words, in whatever order
same() {
  left=" $1 "
  for word in $2; do
    case $left in *" $word "*) left=${left/ $word / };; *) return 1;; esac
  done
  test -z "${left// /}"
}
"""

# Up to the recipient a message needs every part that rewrites it; it is then given up, and never sent.
REWRITING = r"""
said=$(
  exec 2>&1
  exec 3<>/dev/tcp/127.0.0.1/10587 || exit
  read -r -t $PATIENCE said <&3
  for line in 'HELO localhost' 'MAIL FROM:<>' 'RCPT TO:<postmaster>' QUIT; do
    printf '%s\r\n' "$line" >&3; read -r -t $PATIENCE said <&3; echo "${said%$'\r'}"
  done)
case $said in *'250 2.1.5'*) ;; *)
  echo "the trace header's rewriting does not work: '${said##*$'\n'}'; see Postfix's log, postfix/cleanup";;
esac
"""


class Health(FactBase[list[str]]):
    """Ask every layer of the relay for an answer; what is wrong comes back, one line each."""

    default = list

    @override
    def command(self, password_check: str, mechanisms: Iterable[str], auth_on_25: bool) -> StringCommand:
        offers = " ".join(sorted(mechanisms))
        asked = [
            password_check,
            MASTER,
            REWRITING,
            f"expect 25 '-starttls smtp' '{offers if auth_on_25 else ''}' smtpd\n",
            f"expect 465 '' '{offers}' submissions/smtpd\n",
            f"expect 587 '-starttls smtp' '{offers}' submission/smtpd\n",
        ]
        script = PORTS + "".join(f"{{\n{one}}} &\n" for one in asked) + "wait\n"
        return StringCommand("bash -c", QuoteString(script))

    @override
    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)
