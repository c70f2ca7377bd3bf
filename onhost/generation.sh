# shellcheck shell=bash
# Keeps what a relay was before a change, and goes back to it.
#
#   generation.sh begin SILENCE PATH...  keep these files and units as they are; unless `settle` comes, go back to
#                                        them when the connection is gone, has been silent for SILENCE seconds, or
#                                        at the next boot
#   generation.sh settle PROOF           the change is proven: what was kept is the former relay from now on
#   generation.sh back WHY               give the change up, and go back
#   generation.sh rollback SILENCE       go back to the former relay, which a second rollback takes back
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
WATCH=quietrelay-back
AT_BOOT=quietrelay-unfinished.service
GRACE=4 # seconds for a command whose connection is gone to end

pending=$KEPT/pending former=$KEPT/former
went_back=$KEPT/went-back # there when the last change was given up

locked() {
  install -d -m 755 "$KEPT"
  exec 9>"$KEPT/lock"
  flock 9
}

# --- keeping

# Files and units are added to what a directory keeps; what it has of them already is older, and stays.
keep() { # directory, paths
  local directory=$1 path unit
  shift
  mkdir -p "$directory/files"
  touch "$directory"/{paths,units}
  for path; do
    ! grep -qxF -- "$path" "$directory/paths" || continue
    test ! -e "$path" || cp -a --parents -- "$path" "$directory/files"
    echo "$path" >>"$directory/paths"
  done
  for unit in postfix.service $(printf '%s\n' "$@" | sed -n "s|^$UNITS/\([^/]*\.\(service\|timer\)\)$|\1|p"); do
    ! grep -q "^$unit " "$directory/units" || continue
    echo "$unit $(systemctl is-enabled "$unit" 2>/dev/null || true) $(systemctl is-active "$unit" || true)" |
      tr -s '\n ' ' ' | sed 's/ $/\n/' >>"$directory/units"
  done
}

# A directory appears whole or not at all.
begin() { # seconds, paths
  local silence=$1
  shift
  locked
  rm -f "$went_back"
  if test -d "$pending"; then # an interrupted change: what was before that is what to go back to
    keep "$pending" "$@"
  else
    rm -rf "$pending.new"
    keep "$pending.new" "$@"
    mv "$pending.new" "$pending"
  fi
  arm "$silence"
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
  systemctl stop $WATCH 2>/dev/null || true
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
  test "$(stat -c '%f %u %g' "$1" 2>/dev/null)" = "$(stat -c '%f %u %g' "$2" 2>/dev/null)" && cmp -s "$1" "$2"
}

# Each file is renamed into place. main.cf and master.cf come last: whoever starts meanwhile is still told of the files
# of before.
restore() { # directory; prints what was put back
  local path kept
  rm -rf /etc/postfix/.new.* # what was being tried
  { grep -v '^/etc/postfix/ma[^/]*\.cf$' "$1/paths" || true; grep '^/etc/postfix/ma[^/]*\.cf$' "$1/paths" || true; } |
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

# Have units be switched on, and run with what is on disk, as they did.
resume() { # directory, whether files were put back, "boot" while the host comes up
  local unit enabled active now
  systemctl daemon-reload
  while read -r unit enabled active; do
    test "$active" || { active=$enabled enabled=''; }
    now=$(systemctl is-enabled "$unit" 2>/dev/null || true)
    case $enabled/$now in
      enabled/enabled) ;;
      enabled/*) systemctl enable --quiet "$unit" ;;
      */enabled) systemctl disable --quiet "$unit" ;;
    esac
    case $active:$3 in
      active:boot) systemctl start --no-block "$unit" ;;
      active:*) test "$unit" = postfix.service || again "$unit" "$2" ;;
      *) systemctl stop "$unit" 2>/dev/null || true ;;
    esac
  done <"$1/units"
  if test "$3" != boot && grep -q '^postfix\.service .*\bactive$' "$1/units"; then
    if ! postfix status 2>/dev/null; then
      again postfix.service yes
    elif test "$2"; then
      touch /run/postfix.read # the mark of a reload
      postfix reload 2>/dev/null
    fi
  fi
}

again() { # unit, whether it has to read its files anew
  systemctl reset-failed "$1" "${1%.service}@*" 2>/dev/null || true
  if test "$2"; then systemctl restart "$1"; else systemctl start "$1"; fi || true
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
  put_back=$(restore "$pending")
  resume "$pending" "$put_back" ""
  touch "$went_back"
  wrong=$(proven "$pending")
  if test "$wrong" && test "$put_back"; then # a reload does not bring Postfix to other addresses
    again postfix.service yes
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
  put_back=$(restore "$pending")
  resume "$pending" "$put_back" boot
  touch "$went_back"
  forget
  echo "went back to the relay that was before, because the host stopped in the middle of a change:" \
    "$(wc -w <<<"$put_back") files put back"
}

forget() {
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
  local path changed=''
  while read -r path; do
    test ! -e "$path" && test ! -e "$pending/files$path" || same "$path" "$pending/files$path" || changed=yes
  done <"$pending/paths"
  if test "$changed"; then
    rm -rf "$former.gone"
    test ! -d "$former" || mv "$former" "$former.gone"
    mv "$pending" "$former"
    rm -rf "$former.gone"
    disarm
  else
    forget
  fi
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
  mapfile -t paths <"$former/paths"
  rm -rf "$pending.new"
  keep "$pending.new" "${paths[@]}"
  mv "$pending.new" "$pending"
  arm "$1"
  resume "$former" "$(restore "$former")" ""
  wrong=$(proven "$former")
  if test "$wrong"; then
    again postfix.service yes
    wrong=$(proven "$former")
  fi
  if test "$wrong"; then
    back "the former one does not answer ($wrong)" >&2
    return 1
  fi
  lasting
}

begun=$1
case $1 in
  begin | settle | back | rollback | watch) "$@" ;;
  boot) at_boot ;;
esac
