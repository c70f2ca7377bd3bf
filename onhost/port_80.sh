# shellcheck shell=bash
# Lets connections to port 80 through the host's packet filter for a while; nothing of it survives a boot. Functions, put
# before what uses them.
#
#   let_in     unless $LET_IN is empty: a rule ahead of all others, in each chain through which what comes in passes
#   let_out    take the rules back
MARK_80=quietrelay-acme
RULE_80=(INPUT -p tcp --dport 80 -m comment --comment "$MARK_80" -j ACCEPT)

let_in() {
  let_out # of one that was killed
  test "$LET_IN" || return 0
  touch "$WORK/let_in"
  if ufw_runs; then
    iptables -w -I "${RULE_80[@]}" && ip6tables -w -I "${RULE_80[@]}"
  elif command -v nft >/dev/null; then
    chains_in | while read -r chain; do
      # shellcheck disable=SC2086 # family, table, chain
      nft insert rule $chain tcp dport 80 accept comment "$MARK_80"
    done
  fi
}

let_out() {
  if ufw_runs; then
    for program in iptables ip6tables; do
      while $program -w -D "${RULE_80[@]}" 2>/dev/null; do :; done
    done
  elif command -v nft >/dev/null; then
    chains_in | while read -r chain; do
      # shellcheck disable=SC2086
      nft -a list chain $chain | sed -n "s/.*comment \"$MARK_80\".* # handle //p" | while read -r handle; do
        nft delete rule $chain handle "$handle"
      done
    done
  fi
}

# However we end.
finally() {
  test ! -e "$WORK/let_in" || let_out
  rm -rf "$WORK"
}

# All that it says is read: one that cannot write on ends with a failure.
ufw_runs() { command -v ufw >/dev/null && [[ $(LC_ALL=C ufw status 2>/dev/null) == 'Status: active'* ]]; }

# An accept counts for its own chain only (nft(8), VERDICT STATEMENTS).
chains_in() {
  nft list chains 2>/dev/null | awk '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    / hook input / && family ~ /^(inet|ip|ip6)$/ { print family, table, chain }'
}
