# shellcheck shell=sh
# Tells who we are on the host, which system it is, and which other mail server it runs: name=value, a line each.
echo "uid=$(id -u)"
(
  # shellcheck source=/dev/null
  . /etc/os-release
  echo "id=$ID"
  echo "version_id=$VERSION_ID"
)
read -r init </proc/1/comm
echo "init=$init"
read -r machine_id </etc/machine-id
echo "machine_id=$machine_id"
echo "clock=$(date +%s)"

# users:(("exim4",pid=1,fd=3)) names the program; only root sees it (ss(8)). Postfix's smtpd has its socket from
# master, which is named beside it, and which has its instance's directory in its environment (postmulti(1)).
listening=$(ss -Hltnp '( sport = :25 or sport = :465 or sport = :587 )')
echo "$listening" | sed -n '/"master"/d; s/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 \2/p' |
  while read -r name pid; do
    program=$(readlink "/proc/$pid/exe")
    echo "listener=$name=$(dpkg -S "$program" 2>/dev/null | cut -d: -f1)"
  done
echo "$listening" | sed -n 's/.*("master",pid=\([0-9]*\).*/\1/p' | sort -u |
  while read -r pid; do
    instance=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^MAIL_CONFIG=//p')
    test "${instance:-/etc/postfix}" = /etc/postfix || echo "listener=another instance of Postfix, $instance,=postfix"
  done

# ${Provides} tells a mail server by what Debian's policy 11.6 has it provide.
# shellcheck disable=SC2016 # for dpkg-query
dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
  sed -n '/^installed postfix /d; s/^installed \([^ ]*\) .*mail-transport-agent.*/mta=\1/p'
