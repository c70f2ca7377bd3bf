# shellcheck shell=bash
# Tells why what the resolver of this host says does not count as validated by DNSSEC; nothing where it does (RFC 7672
# 2.2.1, RFC 4035 4.9.3). By /dev/udp alone: a host before its first deploy has no other way to ask.
#
# Validated means: the answer for the root zone bears AD, as Postfix asks for it (postconf(5), dnssec_probe), and there is
# none for a name that is known to be signed wrongly, which a resolver that only marks (val-permissive-mode) would give.
RESOLV_CONF=${RESOLV_CONF:-/etc/resolv.conf}
PORT=${PORT:-53}
BOGUS=dnssec-failed.org # public, for tests like this one
PATIENCE=3 # seconds

said() { sed -n "s/^[[:space:]]*$1[[:space:]]\+//p" "$RESOLV_CONF" 2>/dev/null; }

# Print the header of an answer in hexadecimal: id, flags, and the numbers of records (RFC 1035 4.1.1).
asked() { # server, type, labels
  local server=$1 type=$2 label name='' id
  shift 2
  id=$(printf '%04x' $RANDOM)
  for label; do name+=$(printf '\\x%02x%s' ${#label} "$label"); done
  # Recursion and AD are wanted, and in EDNS, the last record, answers with signatures (RFC 3225).
  (
    exec 3<>"/dev/udp/$server/$PORT" || exit
    # By one write, which makes one datagram: printf writes what ends with a byte 10 by itself.
    # shellcheck disable=SC2059 # bytes
    printf "\x${id:0:2}\x${id:2}\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01$name\x00\x00\x$type\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00" | dd bs=4096 iflag=fullblock >&3
    timeout $PATIENCE dd bs=4096 count=1 <&3 | head -c 12 | od -An -v -tx1 | tr -d ' \n' | grep "^$id"
  ) 2>/dev/null
}

while read -r server _; do
  case $server in
    127.* | ::1) ;;
    *)
      if ! said options | grep -qw trust-ad; then
        echo "nameserver $server in $RESOLV_CONF is another host's, and no \"options trust-ad\" there says that the way to it is safe"
        exit
      fi
      ;;
  esac
  # Both at once: that nobody answers for a name may take until we lose patience.
  # shellcheck disable=SC2046,SC2086 # labels
  exec {root}< <(asked "$server" 06) {bogus}< <(asked "$server" 01 ${BOGUS//./ })
  read -r flags _ <&"$root" || true
  read -r flags_of_bogus _ <&"$bogus" || true
  exec {root}<&- {bogus}<&-
  if test ! "$flags"; then
    echo "nameserver $server in $RESOLV_CONF does not answer"
  elif ((!(0x${flags:4:4} & 0x20))); then
    echo "nameserver $server in $RESOLV_CONF does not validate by DNSSEC: its answer for the root zone bears no AD"
  elif test "$flags_of_bogus" && ((!(0x${flags_of_bogus:4:4} & 0xf) && 0x${flags_of_bogus:12:4})); then
    echo "nameserver $server in $RESOLV_CONF answers for $BOGUS, which is signed wrongly"
  else
    continue
  fi
  exit
done < <(said nameserver | grep . || echo 127.0.0.1) # resolv.conf(5)
