# shellcheck shell=sh
# Tells where the host's firewall drops mail, now and after the next boot; changes nothing. Sections with titles in
# brackets: uplink, ufw, live, conf, boot.
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
