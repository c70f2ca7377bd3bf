# shellcheck shell=bash
# Has a Postfix of its own run with a configuration before that is live, on Unix sockets that nobody else reaches, so
# that health.sh, which stands before this, can hold its conversations there. It runs as a transient service
# (systemd-run(1)): that is what ends all of its processes and removes its directory, whatever happens.
#
#   rehearsed DIRECTORY PROBE...   start it with main.cf and master.cf of there, and print what does not answer
#
# Tables, certificates and whoever checks passwords are those that the configuration names, not copies. Milters are left
# out: they see users' mail, and there is none.
ROOM=$RUNTIME_DIRECTORY
declare -A SERVED=([smtp/inet]=25 [submissions/inet]=465 [submission/inet]=587)
NEEDED=(tlsmgr/unix anvil/unix proxymap/unix postlog/unix-dgram)

rehearse() {
  local master owner said
  umask 022
  mkdir -p "$ROOM"/{conf,data,queue/pid,queue/private,queue/public}
  ln -s /etc/postfix/* "$ROOM/conf/" # Debian 12 looks for sasl/ there, whatever main.cf says
  cp --remove-destination "$1/main.cf" "$1/master.cf" "$ROOM/conf/"
  said=$(postconf -c "$1" -xh daemon_directory mail_owner 2>/dev/null)
  master=${said%%$'\n'*}/master owner=${said##*$'\n'}
  postconf -c "$1" -M "${!SERVED[@]}" "${NEEDED[@]}" 2>/dev/null | on_sockets >"$ROOM/conf/master.cf"
  export MAIL_CONFIG=$ROOM/conf
  postconf -e "queue_directory=$ROOM/queue" "data_directory=$ROOM/data" \
    "maillog_file=$ROOM/log" maillog_file_prefixes=/run 2>/dev/null
  touch -d "5 seconds ago" "$ROOM"/conf/ma{in,ster}.cf
  chown "$owner" "$ROOM"/{data,queue/private,queue/public}
  chmod 700 "$ROOM"/{data,queue/private}
  "$master" -w
  # shellcheck disable=SC2034 # health.sh, before this, goes by these
  MASTER_PID=$ROOM/queue/pid/master.pid SOCKETS=$ROOM/queue/public CHAINS=$(chains)
}

# Have the lines of master.cf that come in go without a chroot, and what has a port listen on a socket of its number.
on_sockets() {
  local name type private unprivileged chroot rest
  while read -r name type private unprivileged chroot rest; do
    case ${SERVED[$name/$type]-} in
      '') printf '%s ' "$name" "$type" "$private" "$unprivileged" n "$rest" ;;
      *) printf '%s ' "${SERVED[$name/$type]}" unix n "$unprivileged" "$chroot" "$rest" -o smtpd_milters= ;;
    esac
    echo
  done
}

rehearsed() {
  local probe wrong
  rehearse "$1" 2>&1
  wrong=$(
    for probe in "${@:2}"; do settled "$probe" & done
    wait
  )
  test -z "$wrong" || printf '%s\n' "$wrong" "$(heard)"
}

heard() {
  sed -nE '/authentication fail|verification failed/d; s/^.* postfix[^ ]*: ((warning|error|fatal|panic): )/\1/p' \
    "$ROOM/log" | sort -u
}
