# shellcheck shell=bash
# Keeps the relay's certificate valid, on the host and by its clock. It follows chain.sh and a source of certificates;
# settings stand before all.
#
#   renewal.sh look     say what is due (due: WHY), what is wrong with what there is to take (unfit: WHAT), and what kept
#                       the last try from success (failed: WHY)
#   renewal.sh renew    where it is due: obtain, judge, replace $TARGET in one rename, and have all ports show it
#   renewal.sh enough   succeed if what is there serves, be it due
#
# What works is replaced by nothing worse: what is unfit stays out, and the command fails.
PID=/var/spool/postfix/pid/master.pid
MARK=/run/postfix.read # when Postfix was last told to read its files
FAILED=$KEPT/certificate-failed
JUDGED=$KEPT/certificate-judged # until when nothing is due, and with which files and settings
MONTH=$((30 * 86400))

# Say why a certificate has to be obtained; nothing where it has not.
due() {
  local pair begin end
  test -e "$TARGET" || { echo "there is no $TARGET"; return; }
  matched "$TARGET" || { echo "$TARGET holds no key with its certificate"; return; }
  for pair in $(pairs "$TARGET"); do
    begin=$(day "$pair" -startdate) end=$(day "$pair" -enddate)
    if ((end - $(date +%s) < ((end - begin) / 3 < MONTH ? (end - begin) / 3 : MONTH))); then
      echo "$TARGET ends on $(date -ud "@$end" +%F)"
    fi
    unfit_names "$pair"
  done
  reasons
}

unfit_names() {
  local name found
  found=$(names_in "$1" || true)
  for name in $NAMES; do
    grep -qxF -e "$name" -e "*.${name#*.}" <<<"$found" || echo "$TARGET is not for $name"
  done
}

look() {
  ! test -s "$FAILED" || sed 's/^/failed: /' "$FAILED"
  due | sed 's/^/due: /'
  if test "${CERTIFICATE-}"; then
    obtained "$WORK/obtained"
    judged "$WORK/obtained" | sed 's/^/unfit: /'
  fi
}

judged() { # file
  local pair
  touch "$1"
  : >"$WORK/kinds"
  authorities >"$WORK/authorities"
  for pair in $(pairs "$1"); do
    kind_of "$pair" >>"$WORK/kinds"
    unfit "$pair" "$NAMES" "$WORK/authorities"
  done
  # OpenSSL holds one of each kind, and Postfix offers no TLS with two (postconf(5), smtpd_tls_chain_files).
  sort "$WORK/kinds" | uniq -d | sed 's/.*/key is one of two of the kind &; give one of each/'
}

# What was judged is not judged again until it is due or something changes: a look has to be quick.
settled() {
  local said
  test -e "$JUDGED" || return 1
  said=$(<"$JUDGED")
  ((${said%%$'\n'*} > EPOCHSECONDS)) && test "${said#*$'\n'}" = "$(judged_by)"
}

settle() {
  local pair begin end first=''
  for pair in $(pairs "$TARGET"); do
    begin=$(day "$pair" -startdate) end=$(day "$pair" -enddate)
    ((end -= (end - begin) / 3 < MONTH ? (end - begin) / 3 : MONTH))
    test "$first" && ((first < end)) || first=$end
  done
  printf '%s\n' "$first" "$(judged_by)" >"$WORK/judged"
  placed "$WORK/judged" "$JUDGED"
}

judged_by() {
  echo "$PROGRAM"
  state "$TARGET" "${FILES[@]}"
}

state() { stat -Lc '%n %i %.9Z %s' "$@" 2>&1 || true; } # files

# What is written while we are at work starts no unit (systemd.path(5)): so it is looked for at the end.
renew() {
  local before status
  export PATIENT=yes
  install -d -m 755 "$KEPT"
  until
    before=$(state "${FILES[@]}") status=0
    renew_once || status=1
    test "$(state "${FILES[@]}")" = "$before"
  do SECONDS=0; done
  return $status
}

renew_once() {
  local why wrong=''
  why=$(due)
  if test "$why"; then
    wrong=$(tried "$WORK/obtained" 2>&1) || wrong=${wrong:-nothing could be obtained}
    wrong=${wrong//$'\n'/; and }
    printf '%s (a new one is due, because %s)\n' "$wrong" "${why//$'\n'/, and }" >"$FAILED"
    if test "$wrong"; then
      if ! instead "$WORK/obtained"; then
        echo "no new certificate, and what was there stays: $wrong" >&2
        return 1
      fi
      echo "the host's own CA stands in, whom nobody trusts who was not told to, because: $wrong" | tee "$FAILED"
    fi
    replaced "$WORK/obtained" || return 1
    echo "$TARGET is new, because ${why//$'\n'/, and }; it ends on $(date -ud "@$(day "$TARGET" -enddate)" +%F)"
  fi
  if test ! "$wrong"; then
    rm -f "$FAILED"
    settle || return 1
  fi
  shown
}

# Say what is wrong with what can be obtained, and why nothing can.
tried() { # file
  obtained "$1" && judged "$1"
}

enough() {
  test -e "$TARGET" && test -z "$(judged "$TARGET" 2>/dev/null)"
}

# What a host would go back to is renewed as well, if it is for the same names.
replaced() { # file
  local copy
  exec 9>"$KEPT/lock"
  flock 9
  placed "$1" "$TARGET" || return 1
  for copy in "$KEPT"/{pending,former}/files"$TARGET"; do
    if test -e "$copy" && test "$(names_in "$copy")" = "$(names_in "$1")"; then placed "$1" "$copy" || return 1; fi
  done
  exec 9>&-
}

# Postfix's processes read the file when they begin. Told to, master replaces those that wait for a client at once, and
# the others when they have served theirs; its sockets stay open.
shown() {
  local port serial deadline=$((SECONDS + 20))
  kill -0 "$(cat $PID 2>/dev/null)" 2>/dev/null || return 0
  case ,$(postconf -xh smtpd_tls_chain_files | tr -d ' '), in *,"$TARGET",*) ;; *) return 0 ;; esac
  test -e $MARK || touch -r $PID $MARK
  test "$(find "$TARGET" -newercm $PID -newercm $MARK)" || return 0
  touch $MARK
  postfix reload 2>/dev/null || { echo "Postfix cannot be reloaded; see postfix check" >&2; return 1; }
  serial=$(for pair in $(pairs "$TARGET"); do openssl x509 -noout -serial -in "$pair"; done)
  for port in 25 465 587; do
    until grep -qxF "$(serial_on "$port")" <<<"$serial"; do
      if ((SECONDS > deadline)); then
        echo "port $port does not show the new certificate; see Postfix's log" >&2
        return 1
      fi
      sleep 0.2
    done
  done
}

serial_on() { # port
  local protocol=(-starttls smtp)
  test "$1" != 465 || protocol=()
  timeout 10 openssl s_client -no-CAfile -no-CApath -no-CAstore -connect "localhost:$1" "${protocol[@]}" \
    </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null || true
}

if test "$1" = look && test ! -s "$FAILED" && settled; then exit; fi
workshop
"$@"
