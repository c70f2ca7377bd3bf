# shellcheck shell=sh
# Tells where the host's firewall drops mail, now and after the next boot; changes nothing. Sections with titles in
# brackets: uplink, ufw, live, conf, boot, ip, ip6, legacy_ip, legacy_ip6.
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

echo "[uplink]"
{
  ip route show default
  ip -6 route show default
} | sed -n 's/.* dev \([^ ]*\).*/\1/p'

if command -v ufw >/dev/null; then
  echo "[ufw]"
  ufw status verbose || exit
  sed -n 's/^ *IPV6=/IPv6: /p' /etc/default/ufw
fi

if command -v nft >/dev/null; then
  echo "[live]"
  nft -j list ruleset || exit
  if systemctl -q is-enabled nftables 2>/dev/null || systemctl -q is-active nftables; then
    conf=$(systemctl show -p ExecStart nftables | sed -n 's/.* -f \([^ ;]*\).*/\1/p')
    echo "[conf]"
    echo "$conf"
    echo "[boot]"
    # What a boot brings is seen by loading it into an empty network namespace, beside the host's own. Only where
    # that fails it is tried with interfaces of the host's names, which "iif eth0" wants to exist (nft(8)).
    # shellcheck disable=SC2016 # for the shell inside
    unshare --net sh -c '
      load() { nft -f "$0" && nft -j list ruleset; }
      pretend() { for link in /sys/class/net/*; do ip link add "${link##*/}" type veth; done; }
      { load || { pretend; load; }; } 2>/dev/null || nft -f "$0"' "$conf" 2>&1 || true
  fi
fi

if command -v iptables-nft-save >/dev/null; then
  # They fail where the kernel has no nftables, which then drops nothing.
  echo "[ip]"
  iptables-nft-save 2>/dev/null
  echo "[ip6]"
  ip6tables-nft-save 2>/dev/null
fi
# Asked for a table that is not there, iptables-legacy would make it.
for ip in ip ip6; do
  if grep -qsx filter "/proc/net/${ip}_tables_names"; then
    echo "[legacy_$ip]"
    "${ip}tables-legacy-save" || exit
  fi
done
