# shellcheck shell=sh
# Prints the wildcard addresses on which nobody listens; a daemon that runs has two seconds to get there.
#
#   unheard.sh PID_FILE all|ipv4 PORT ...
pid_file=$1
families=$2
shift 2
runs() { kill -0 "$(cat "$pid_file")"; } 2>/dev/null

addresses=0.0.0.0
# A file in /proc has no size; where this one has no line, the host has no IPv6.
if [ "$families" = all ] && read -r _ </proc/net/if_inet6; then addresses='0.0.0.0 [::]'; fi 2>/dev/null
for port in "$@"; do for address in $addresses; do wanted="$wanted $address:$port"; done; done

for _ in 1 2 3 4 5 6 7 8 9 10; do
  unheard=$(ss -Hltn | awk -v wanted="$wanted" '
    { open[$4] }
    END { count = split(wanted, all); for (i = 1; i <= count; i++) if (!(all[i] in open)) print all[i] }')
  test -z "$unheard" && break
  runs || break
  sleep 0.2
done
test -z "$unheard" || echo "$unheard"
