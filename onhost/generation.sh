# shellcheck shell=bash
# Keeps what a relay was before a change, and goes back to it.
#
#   generation.sh begin SILENCE LENGTH PATH|UNIT:PATH...
#                                        keep these files, and the units among them, as they are, know of units what
#                                        they read, and have as the manifest what standard input says, of that many
#                                        bytes; unless `settle` comes, go back when the connection is gone, has been
#                                        silent for SILENCE seconds, or at the next boot
#   generation.sh settle PROOF           the change is proven: what was kept is the former relay from now on
#   generation.sh back WHY               give the change up, and go back
#   generation.sh rollback SILENCE       go back to the former relay, which a second rollback takes back
#   generation.sh dismantle USER:GROUP...
#                                        the relay is taken away: have units and groups be as before the first change,
#                                        and forget all that was kept
#
# It runs from its text (bash -c), and leaves that with what it keeps: the program that goes back is the one that
# kept. Everything lies in directories of root's alone. `pending` is there from begin to its end; renaming it is what
# makes a change lasting, so a host that stops at any point is on one side of it.
set -euo pipefail
umask 077
cd / # cp --parents of Debian 12 looks for the parents here

KEPT=/var/lib/quietrelay
UNITS=/etc/systemd/system
PROOF=$KEPT/prove.sh # says what does not answer
MANIFEST=$KEPT/manifest.json
WATCH=quietrelay-back
AT_BOOT=quietrelay-unfinished.service
GRACE=4 # seconds for a command whose connection is gone to end

pending=$KEPT/pending former=$KEPT/former
origin=$KEPT/origin # what was before the first change, of each path that any change was about
went_back=$KEPT/went-back # there when the last change was given up

locked() {
  install -d -m 755 "$KEPT"
  exec 9>"$KEPT/lock"
  flock 9
}

# --- keeping

# Files and units are added to what a directory keeps; what it has of them already is older, and stays. What is copied
# is noted afterwards.
keep() { # directory, paths and what units read
  local directory=$1 line
  local -A has=()
  local -a paths=() reads=() there=()
  shift
  mkdir -p "$directory/files"
  touch "$directory"/{paths,units,reads}
  while read -r line; do has[$line]=yes; done < <(cat "$directory"/{paths,reads})
  for line; do
    case ${has[$line]-}$line in
      yes*) ;;
      /*)
        paths+=("$line")
        test ! -e "$line" || there+=("$line")
        ;;
      *) reads+=("$line") ;;
    esac
  done
  test ${#there[@]} = 0 || cp -a --parents -- "${there[@]}" "$directory/files"
  note "$directory/paths" "${paths[@]}"
  note "$directory/reads" "${reads[@]}"
  note_units "$directory"
}

note() { # file, lines
  test $# = 1 || printf '%s\n' "${@:2}" >>"$1"
}

# A line for each unit that is not noted yet: its name, whether it is switched on, if it is there, and whether it runs.
note_units() { # directory
  local unit state rest
  local -A enabled=()
  local -a units=() lines=()
  mapfile -t units < <(
    { echo postfix.service; sed -n "s#^$UNITS/\([^/]*\.\(service\|timer\|path\)\)\$#\1#p" "$1/paths"; } |
      grep -vxF -f <(cut -d' ' -f1 "$1/units")
  )
  test ${#units[@]} -gt 0 || return 0
  while read -r unit state rest; do
    test "$state" != generated || state=$(systemctl is-enabled "$unit" 2>/dev/null || true) # of an init script
    enabled[$unit]=" $state"
  done < <(systemctl list-unit-files --plain --no-legend "${units[@]}" 2>/dev/null)
  while read -r state; do
    unit=${units[${#lines[@]}]}
    lines+=("$unit${enabled[$unit]-} $state")
  done < <(systemctl is-active "${units[@]}")
  note "$1/units" "${lines[@]}"
}

# A directory appears whole or not at all.
begin() { # seconds, bytes, paths
  local silence=$1 length=$2
  shift 2
  locked
  cat >"$MANIFEST.new"
  test "$(wc -c <"$MANIFEST.new")" = "$length" # a connection may break at any time
  rm -f "$went_back"
  if test -d "$pending"; then # an interrupted change: what was before that is what to go back to
    keep "$pending" "$@"
  else
    rm -rf "$pending.new"
    keep "$pending.new" "$@"
    mv "$pending.new" "$pending"
  fi
  originate "$@"
  arm "$silence"
  mv "$MANIFEST.new" "$MANIFEST"
}

# A host that was changed by a release that did not keep it has no origin, and never will.
originate() { # paths
  test -d "$origin" || ! { test -e "$MANIFEST" || grep -qs '^quietrelay_user_mail' /etc/postfix/main.cf; } || return 0
  keep "$origin" "$@"
  test -e "$origin/groups" || id -nG postfix >"$origin/groups"
}

# --- going back by itself

arm() { # seconds
  printf '%s\n' "$BASH_EXECUTION_STRING" >"$pending/generation.sh"
  sync -f "$pending"
  cat >"$UNITS/$AT_BOOT" <<UNIT
# Written by quietrelay, and gone with the change that it guards.
[Unit]
Description=Go back to the mail relay that was before a change which was interrupted
Before=postfix.service postfix@-.service $(cut -d' ' -f1 "$pending/units" | paste -sd' ')
ConditionPathExists=$pending

[Service]
Type=oneshot
ExecStart=/bin/bash $pending/generation.sh boot
UNIT
  chmod 644 "$UNITS/$AT_BOOT"
  install -d -m 755 "$UNITS/multi-user.target.wants"
  ln -sf "../$AT_BOOT" "$UNITS/multi-user.target.wants/" # systemd reads it at the boot for which it is
  test ! -e /run/systemd/transient/$WATCH.service || systemctl stop $WATCH 2>/dev/null || true
  systemd-run --quiet --collect --unit=$WATCH /bin/bash "$pending/generation.sh" watch "$1" "$(session)" 9>&-
}

disarm() {
  rm -f "$UNITS/multi-user.target.wants/$AT_BOOT" "$UNITS/$AT_BOOT"
  test "${begun:-}" = watch || systemctl stop $WATCH 2>/dev/null || true
}

# The process that is our connection: sshd(8) has one for each, and it ends with that.
session() {
  local pid=$$
  while ((pid > 1)); do
    case $(<"/proc/$pid/comm") in sshd*) break ;; esac
    pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")
  done
  echo "$pid"
}

# Wait for the end of the change, or for that of whoever makes it. What a connection has read tells whether anything
# came (proc(5), rchar). Without a connection there is nothing but the time.
watch() { # seconds, connection's process
  local silence=$1 connection=$2 heard='' now since=$SECONDS
  while test -d "$pending"; do
    sleep 1
    if ((connection > 1)); then
      case $(cat "/proc/$connection/comm" 2>/dev/null) in
        sshd*) ;;
        *)
          sleep $GRACE
          back "the connection that changed it is gone"
          return
          ;;
      esac
      now=$(sed -n 's/^rchar: //p' "/proc/$connection/io" 2>/dev/null || true)
      test "$now" = "$heard" || heard=$now since=$SECONDS
    fi
    if ((SECONDS - since > silence)); then
      back "nobody confirmed the change, and nothing was heard for $silence seconds"
      return
    fi
  done
}

# --- going back

same() { # path, path
  local -a rights
  mapfile -t rights < <(stat -c '%f %u %g' -- "$1" "$2" 2>/dev/null)
  test ${#rights[@]} = 2 && test "${rights[0]}" = "${rights[1]}" && cmp -s "$1" "$2"
}

# What Postfix asked before runs when main.cf and master.cf come, and what it asked until then is restarted or stopped
# when it asks there no more: somebody answers all the time. A process of smtpd that finds nobody at its start would end,
# and master(8) wait for a minute before it starts another.
restore_all() { # directory, "boot" while the host comes up; prints what was put back
  local files
  rm -rf /etc/postfix/.new.* /run/quietrelay-tried-* /run/systemd/system/quietrelay-tried-* # what was being tried
  files=$(restore "$1" -v)
  resume "$1" "$2" >&2
  files+=$'\n'$(restore "$1" -h)
  reread "$1" "${files//[[:space:]]/}" "$2" >&2
  rest "$1" "$files" "$2" >&2
  echo "$files"
}

# Each file is renamed into place.
restore() { # directory, -h for main.cf and master.cf and -v for all others (grep(1)); prints what was put back
  local path kept
  { grep "$2" '^/etc/postfix/ma[^/]*\.cf$' "$1/paths" || true; } |
    while read -r path; do
      kept=$1/files$path
      rm -f -- "$path.new" # written aside, and never switched to
      if test ! -e "$kept"; then
        test ! -e "$path" || { rm -f -- "$path"; echo "$path"; }
      elif ! same "$kept" "$path"; then
        test -d "${path%/*}" || install -d -m 755 "${path%/*}"
        cp -a -- "$kept" "$path.former" && mv -T -- "$path.former" "$path"
        echo "$path"
      fi
    done
}

# Have units be switched on, and run, as they did.
resume() { # directory, "boot" while the host comes up
  local unit enabled active now
  systemctl daemon-reload
  while read -r unit enabled active; do
    test "$active" || { active=$enabled enabled=''; }
    find "$UNITS" -name "$unit" -xtype l -delete # what switched on a unit that was not there before
    now=$(systemctl is-enabled "$unit" 2>/dev/null || true)
    case $enabled/$now in
      enabled/enabled) ;;
      enabled/*) systemctl enable --quiet "$unit" ;;
      */enabled) systemctl disable --quiet "$unit" ;;
    esac
    case $active:$2 in
      active:boot) systemctl start --no-block "$unit" ;;
      active:*) test "$unit" = postfix.service || again start "$unit" ;;
    esac
  done <"$1/units"
}

# Have Postfix go by its files, as it did.
reread() { # directory, whether files were put back, "boot" while the host comes up
  if test "$3" != boot && grep -q '^postfix\.service .*\bactive$' "$1/units"; then
    if ! postfix status 2>/dev/null; then
      again restart postfix.service
    elif test "$2"; then
      touch /run/postfix.read # the mark of a reload
      postfix reload 2>/dev/null
    fi
  fi
}

# Have units that run read what was put back, and stop those that did not run.
rest() { # directory, files that were put back, "boot" while the host comes up
  local unit enabled active
  while read -r unit enabled active; do
    if test "${active:-$enabled}" != active; then
      systemctl stop "$unit" 2>/dev/null || true
      # Where our file is gone, the unit is that of a script in /etc/init.d by now, which ends nothing of ours.
      systemctl kill "$unit" 2>/dev/null || true
    elif test "$3" != boot && test "$(sed -n "s|^$unit:||p" "$1/reads" 2>/dev/null | grep -xF -e "$2")"; then
      again restart "$unit"
    fi
  done <"$1/units"
}

again() { # start or restart, unit
  systemctl reset-failed "$2" "${2%.service}@*" 2>/dev/null || true
  systemctl "$1" "$2" || true
}

# Say what does not answer; a relay without a proof has to run.
proven() { # directory: as what it keeps, or, without one, as it is
  if test -e "$PROOF"; then
    bash "$PROOF" 2>&1
  elif grep -q '^postfix\.service .*\bactive$' "$1/units" && ! postfix status 2>/dev/null; then
    echo "Postfix does not run"
  fi
}

back() { # why
  local put_back wrong
  locked
  test -d "$pending" || return 0
  put_back=$(restore_all "$pending" "")
  touch "$went_back"
  wrong=$(proven "$pending")
  if test "$wrong" && test "${put_back//[[:space:]]/}"; then # a reload does not bring Postfix to other addresses
    again restart postfix.service
    wrong=$(proven "$pending")
  fi
  forget
  echo "went back to the relay that was before, because $1: $(wc -w <<<"$put_back") files put back;" \
    "mail that was taken is kept; ${wrong:-it answers as before}"
}

at_boot() {
  local put_back
  locked
  test -d "$pending" || return 0
  put_back=$(restore_all "$pending" boot)
  touch "$went_back"
  forget
  echo "went back to the relay that was before, because the host stopped in the middle of a change:" \
    "$(wc -w <<<"$put_back") files put back"
}

forget() {
  test -e "$MANIFEST" || rm -rf "$origin" # the first change was given up
  rm -rf "$pending.gone"
  mv "$pending" "$pending.gone"
  rm -rf "$pending.gone"
  disarm
}

# --- the change is there to stay

settle() { # text of the proof
  locked
  if test -e "$went_back"; then
    echo "the host has gone back by itself meanwhile; see journalctl -u $WATCH, and deploy again" >&2
    return 1
  fi
  printf '%s\n' "$1" >"$PROOF.new" && chmod 700 "$PROOF.new" && mv "$PROOF.new" "$PROOF"
  test ! -d "$pending" || lasting # another run at the same time has settled both
}

lasting() {
  if changed; then
    rm -rf "$former.gone"
    test ! -d "$former" || mv "$former" "$former.gone"
    mv "$pending" "$former"
    rm -rf "$former.gone"
    disarm
  else
    forget
  fi
}

# Tell whether any file is another one than was kept.
changed() {
  local path
  while read -r path; do
    test ! -e "$path" && test ! -e "$pending/files$path" || same "$path" "$pending/files$path" || return 0
  done <"$pending/paths"
  return 1
}

rollback() { # seconds
  local wrong
  locked
  if test -d "$pending"; then
    echo "a deploy is under way, or was interrupted; let it end" >&2
    return 1
  elif ! test -d "$former"; then
    echo "there is no former relay to go back to: no deploy has changed anything" >&2
    return 1
  fi
  mapfile -t paths < <(cat "$former"/{paths,reads} 2>/dev/null)
  rm -rf "$pending.new"
  keep "$pending.new" "${paths[@]}"
  mv "$pending.new" "$pending"
  arm "$1"
  restore_all "$former" "" >/dev/null
  wrong=$(proven "$former")
  if test "$wrong"; then
    again restart postfix.service
    wrong=$(proven "$former")
  fi
  if test "$wrong"; then
    back "the former one does not answer ($wrong)" >&2
    return 1
  fi
  lasting
}

# --- the relay is taken away

dismantle() { # user:group
  local pair unit rest
  locked
  if test -d "$origin"; then
    for pair; do
      grep -qw "${pair#*:}" "$origin/groups" || gpasswd -d "${pair%:*}" "${pair#*:}" >/dev/null
    done
    while read -r unit rest; do
      ! systemctl cat "$unit" >/dev/null 2>&1 || echo "$unit $rest"
    done <"$origin/units" >"$origin/units.there"
    mv "$origin/units.there" "$origin/units"
    resume "$origin" ""
    reread "$origin" "" ""
    rest "$origin" "" ""
    if grep -q '^postfix\.service .*\bactive$' "$origin/units" && ! postfix status 2>/dev/null; then
      back "Postfix does not run as it was before" >&2
      return 1
    fi
  fi
  forget
  systemctl daemon-reload
  rm -rf "$KEPT" /run/postfix.read
}

begun=$1
case $1 in
  begin | settle | back | rollback | watch | dismantle) "$@" ;;
  boot) at_boot ;;
esac
