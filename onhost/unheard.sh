# shellcheck shell=sh
# Prints the wildcard addresses on which nobody listens; a daemon that runs has two seconds to get there.
#
#   unheard.sh PID_FILE PORT ...
pid_file=$1
shift
runs() { kill -0 "$(cat "$pid_file")"; } 2>/dev/null

families=0.0.0.0
test -s /proc/net/if_inet6 && families='0.0.0.0 [::]'
for port in "$@"; do for family in $families; do wanted="$wanted $family:$port"; done; done

for _ in 1 2 3 4 5 6 7 8 9 10; do
  unheard=$(ss -Hltn | awk -v wanted="$wanted" '
    { open[$4] }
    END { count = split(wanted, all); for (i = 1; i <= count; i++) if (!(all[i] in open)) print all[i] }')
  test -z "$unheard" && break
  runs || break
  sleep 0.2
done
test -z "$unheard" || echo "$unheard"
