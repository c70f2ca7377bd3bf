# shellcheck shell=sh
# Makes a host ready to have packages installed: finishes what dpkg was kept from finishing, and fetches the lists.
# Where somebody else is at it, as unattended-upgrades on a host that has just booted, it waits.
#
#   apt.sh SECONDS [FILE]   wait so long at most; note in FILE, where it is not there yet, what is installed before
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
deadline=$(($(date +%s) + $1))
told=

# patient COMMAND...: run it until no lock of somebody else's keeps it from working, and say whose it is
patient() {
  until said=$("$@" 2>&1 </dev/null); do
    who=$(printf '%s\n' "$said" | grep -oE '(held|locked) by .*process( [0-9]+ \([^)]*\)| with pid [0-9]+)?' | head -n 1)
    if [ -z "$who" ]; then
      printf '%s\n' "$said" >&2
      return 1
    fi
    if [ "$(date +%s)" -ge "$deadline" ]; then
      echo "somebody else is still installing packages ($who); run again when that is done" >&2
      return 1
    fi
    [ "$who" = "$told" ] || echo "waiting for somebody else who is installing packages ($who)"
    told=$who
    sleep 1
  done
}

# It gives up at once where its database is in use.
debconf() {
  echo | debconf-set-selections
}

patient debconf || exit
# dpkg(1): what was unpacked and not configured, and what it had noted and not written down.
if [ -n "$(ls -A /var/lib/dpkg/updates)" ] || [ -n "$(dpkg --audit)" ]; then
  echo "finishing what dpkg was kept from finishing"
  patient dpkg --configure -a --force-confdef --force-confold || exit
  patient apt-get -q -y -f install || exit
fi
if [ "${2-}" ] && ! [ -e "$2" ]; then
  install -d -m 755 "${2%/*}"
  dpkg-query -W -f '${Package}\n' >"$2.new" && mv "$2.new" "$2"
fi
patient apt-get -q update
