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
SOCKETS='' # directory of the sockets that stand for ports; none where they are ports

chains() { postconf -xh smtpd_tls_chain_files 2>/dev/null | tr , ' '; }
CHAINS=$(chains) # files with keys and certificates

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

# A conversation under TLS, as it is heard, with the certificate that is shown. QUIT ends it, for openssl does not end
# with its input (s_client(1), -ign_eof). Each line is said after the answer to the one before: what comes earlier is
# refused (smtpd_forbid_unauth_pipelining). No certificate is judged here, and to read all authorities that Debian
# trusts is most of what openssl would compute.
converse() { # port, how TLS begins, lines to be said after the greeting
  local begun='' line port=$1 start=$2
  local to=(-connect "localhost:$port")
  test ! "$SOCKETS" || to=(-unix "$SOCKETS/$port")
  shift 2
  # shellcheck disable=SC2086 # two words, or none
  coproc openssl s_client -ign_eof -no-CAfile -no-CApath -no-CAstore "${to[@]}" $start 2>&1
  exec 3>&"${COPROC[1]}" 4<&"${COPROC[0]}"
  printf 'EHLO localhost\r\n' >&3
  while read -r -t "$SILENCE" line <&4; do
    line=${line%$'\r'}
    echo "$line"
    case $begun$line in
      250-*) begun=begun ;; # openssl shows the last line of what was said before STARTTLS too
      begun[24]21\ *) break ;; # the end: nobody hears what is said after it
      begun[2345][0-9][0-9]\ *)
        { printf '%s\r\n' "${1-QUIT}" >&3; } 2>/dev/null
        test $# = 0 || shift
        ;;
    esac
  done
  kill "$COPROC_PID" 2>/dev/null # one that is silent
}

# A port shows the certificate that Postfix was told, offers these mechanisms over TLS and no others, and lets nobody
# in by a login that is nobody's.
serves() { # port, how TLS begins, mechanisms, name in the log, lines of such a login, if there are mechanisms
  local heard last offered see="see Postfix's log, postfix/$4"
  heard=$(converse "$1" "$2" "${@:5}" 2>&1)
  last=$(grep -E '^[2-5][0-9]{2}[- ]|[Ee]rror|errno' <<<"$heard" | grep -vE '^221|erif' | tail -n 1)
  offered=$(sed -n 's/^250[- ]AUTH //p' <<<"$heard")
  if ! grep -q ^250- <<<"$heard" || ! same "$offered" "$3"; then
    echo "port $1 does not offer the logins '$3' over TLS but '$offered'; it ends with '${last:-silence}'; $see"
    return
  elif test "$3" && [[ $last != 535\ * ]]; then
    echo "port $1 answers a login that is nobody's with '${last:-silence}', not with 535; $see"
  fi
  has_certificate "$1" "$4" <<<"$heard"
}

# A port shows the certificate that Postfix was told.
shows() { # port, how TLS begins, name in the log
  has_certificate "$1" "$3" < <(converse "$1" "$2" 2>&1)
}

has_certificate() { # port, name in the log; what was heard comes by standard input
  local heard shown
  heard=$(cat)
  shown=$(certificates <<<"$heard" | head -n 1)
  # shellcheck disable=SC2086 # some words
  test "$shown" && grep -qxF -e "$shown" <(cat $CHAINS | certificates) ||
    echo "port $1 shows the certificate with $(serial <<<"$heard"), not the one with" \
      "$(serial < <(cat $CHAINS)) in $CHAINS; see Postfix's log, postfix/$2"
}

# Each certificate of a text on a line of its own, without its first and last.
certificates() {
  awk '/-BEGIN CERTIFICATE-/ { text = ""; on = 1; next } /-END CERTIFICATE-/ { print text; on = 0 }
    on { gsub(/[ \t\r]/, ""); text = text $0 }'
}

serial() { openssl x509 -noout -serial 2>&1 | head -n 1; }

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

# A table answers a header so.
rewrites() { # header, table, beginning of its answer
  local answer
  answer=$(postmap -q "$1" "$2" 2>&1)
  [[ $answer == "$3"* ]] ||
    echo "the rewriting of users' headers does not work: $2 answers '$1' with '$answer', not with '$3'; deploy"
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
