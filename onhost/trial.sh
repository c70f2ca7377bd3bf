# shellcheck shell=bash
# Tries what lies aside while the relay serves as it is: has its daemons run with that, and a Postfix ask there. Put after
# aside.sh.
#
#   tried DIRECTORY SCRIPT UNIT_FILES PATH...
#        hold the conversations of a script (onhost/rehearsal.sh) with main.cf and master.cf of a directory, with the
#        daemons of these units, a word each, and with what lies beside these paths; fails if something does not answer
#
# A daemon runs by its unit's text, and so in its sandbox. There it sees what lies beside a path in its place, and has
# its sockets in a directory that nobody else sees in theirs. It runs for as long as the rehearsal needs it.
# shellcheck disable=SC2030,SC2031 # all is in one subshell
TRIED=quietrelay-tried-$$
TRANSIENT=/run/systemd/system

tried() (
  views=() needed=() placeholders=()
  trap swept EXIT
  for path in "${@:4}"; do
    if test -e "$path$ASIDE" && [[ $path != "$UNITS"/* ]]; then
      test -e "$path" || placeholders+=("$path")
      views+=("BindReadOnlyPaths=$path$ASIDE:$path")
    fi
  done
  for unit_file in $3; do
    room=$(room_of "$unit_file")
    test -d "/run/$room" || placeholders+=("/run/$room/")
    mkdir -p "/run/$TRIED/$room"
    views+=("BindPaths=/run/$TRIED/$room:/run/$room")
  done
  for path in "${placeholders[@]}"; do
    case $path in */) mkdir "$path" ;; *) : >"$path" ;; esac # for what is mounted there
  done
  for unit_file in $3; do
    of_daemon "$unit_file" >"$TRANSIENT/$TRIED-${unit_file##*/}"
    needed+=("$TRIED-${unit_file##*/}")
  done
  mapfile -t properties < <(printf -- '--property=%s\n' "${views[@]}" "${needed[@]/#/Requires=}" "${needed[@]/#/After=}")
  rehearsed "$1" "$2" "${properties[@]}" || {
    for unit in "${needed[@]}"; do journalctl -q -o cat -n 9 _SYSTEMD_UNIT="$unit" | uniq; done >&2
    return 1
  }
)

newest() { # path
  if test -e "$1$ASIDE"; then echo "$1$ASIDE"; else echo "$1"; fi
}

room_of() { sed -n 's/^RuntimeDirectory=//p' "$(newest "$1")"; } # unit's file

of_daemon() { # unit's file
  local credential file room
  file=$(newest "$1") room=$(room_of "$1")
  credential=$(sed -n 's/^LoadCredential=[^:]*://p' "$file") # systemd reads it where the daemon does not look
  sed -E -e "s#^(LoadCredential=[^:]*:).*#\1$(newest "$credential")#" -e '/^\[Install\]/,$d' \
    -e '/^(Before|After|Wants|Restart|RestartSec|RuntimeDirectory)=/d' \
    -e "/^\[Unit\]/a StopWhenUnneeded=yes${needed[*]/#/\\nAfter=}" "$file"
  printf '%s\n' "RuntimeDirectory=$TRIED/$room" RuntimeMaxSec=60 "${views[@]}"
}

swept() {
  test ${#needed[@]} = 0 || systemctl stop "${needed[@]}" 2>/dev/null
  rm -rf "${TRANSIENT:?}/$TRIED"-* "/run/$TRIED"
  for path in "${placeholders[@]}"; do
    case $path in */) rmdir "$path" ;; *) test -s "$path" || rm -f "$path" ;; esac
  done
}
