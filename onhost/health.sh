# shellcheck shell=bash
# Probes whether a relay answers, from what checks passwords up to the ports. It is put before the calls of `settled`.
#
#   settled 'PROBE' &   run a probe until it prints nothing: what it prints is what is wrong
#
# What is new may take a moment, and a directory may be busy: while Postfix runs, each is asked again for ten
# seconds. Who is silent is waited for longer: a host that has much to do is not broken.
PATIENCE=10
SILENCE=30
MASTER_PID=/var/spool/postfix/pid/master.pid

settled() {
  local said
  until
    said=$(eval "$1")
    test -z "$said" || ((SECONDS >= PATIENCE)) || ! runs
  do sleep 1; done
  test -z "$said" || echo "$said"
}

runs() { kill -0 "$(<"$MASTER_PID")"; } 2>/dev/null

postfix_runs() { runs || echo "Postfix does not run; see postfix check, and journalctl -u 'postfix*'"; }

# A conversation under TLS, as it is heard. QUIT ends it, for openssl does not end with its input (s_client(1),
# -quiet). It is sent after the answer: what comes before is refused (smtpd_forbid_unauth_pipelining). No
# certificate is judged here, and to read all authorities that Debian trusts is most of what openssl would compute.
converse() { # port, how TLS begins
  local begun='' line
  # shellcheck disable=SC2086 # two words, or none
  coproc openssl s_client -quiet -no-CAfile -no-CApath -no-CAstore -connect "localhost:$1" $2 2>&1
  exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
  printf 'EHLO localhost\r\n' >&3
  while read -r -t "$SILENCE" line <&4; do
    echo "${line%$'\r'}"
    case $begun$line in
      250-*) begun=begun ;; # openssl shows the last line of what was said before STARTTLS too
      'begun250 '*) printf 'QUIT\r\n' >&3 ;;
    esac
  done
  kill "$COPROC_PID" 2>/dev/null # one that is silent
}

# A port offers these mechanisms over TLS, and no others.
offers() { # port, how TLS begins, mechanisms, name in the log
  local line greeted='' offered='' last=''
  while read -r line; do
    case $line in
      221*) continue ;;
      250[-\ ]AUTH\ *) offered=${line#250?AUTH } ;;
      250\ *) greeted=yes ;;
    esac
    last=$line
  done < <(converse "$1" "$2" 2>&1)
  { test "$greeted" && same "$offered" "$3"; } ||
    echo "port $1 does not offer the logins '$3' over TLS but '$offered'; it ends with '${last:-silence}';" \
      "see Postfix's log, postfix/$4"
}

# The same words, in whatever order.
same() {
  local word left=" $1 "
  for word in $2; do
    case $left in
      *" $word "*) left=${left/ $word / } ;;
      *) return 1 ;;
    esac
  done
  test -z "${left// /}"
}

# A port of the host's own takes a message up to its recipient; it is then given up, and never sent.
takes_a_recipient() { # port, what would not work, name in the log
  local answers
  answers=$(
    exec 2>&1
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
    read -r -t "$SILENCE" answer <&3 || exit
    for line in 'HELO localhost' 'MAIL FROM:<>' 'RCPT TO:<postmaster>' QUIT; do
      printf '%s\r\n' "$line" >&3
      read -r -t "$SILENCE" answer <&3 || exit
      echo "${answer%$'\r'}"
    done
  )
  case $answers in
    *'250 2.1.5'*) ;;
    *)
      answers=${answers##*$'\n'}
      echo "$2 does not work: '${answers:-silence}'; see Postfix's log, $3"
      ;;
  esac
}
