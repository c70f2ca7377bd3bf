# shellcheck shell=sh
# Looks at what is to become Postfix's configuration, aside, before it is. Functions, put before what uses them.
#
#   complaints DIRECTORY   what Postfix and OpenSSL have to complain of main.cf and master.cf there, and of the tables
#                          and certificates that they name, and systemd of units/ there; of what is there of these
#   refused DIRECTORY      the same, but what the configuration in use does not cause already; succeeds if there is any
#   rehearsed DIRECTORY SCRIPT OPTION...   hold conversations with a Postfix that is started with what is there
#                          (onhost/rehearsal.sh), by systemd-run(1) with these options; fails if it does not answer
#   switch_files PATH...   rename what lies beside each path into place, all or none
DIRECTORY=/etc/postfix
UNITS=/etc/systemd/system
ASIDE=.new

complaints() {
  { configuration "$1"; units "$1"; } 2>&1 >/dev/null | sed "s|$1/units|$UNITS|g; s|$1|$DIRECTORY|g; s|\\$ASIDE\\>||g" | sort -u
}

configuration() {
  test -e "$1/main.cf" || return 0
  says=$(postconf -c "$1" -xn && postconf -c "$1" -xP) && postconf -c "$1" -M && tables "$1" "$says" && certificates "$says"
}

# Each table of a type that is a file of this host is read, and asked. Not btree: Postfix's caches are, and locked.
tables() { # directory, parameters
  echo "$2" | grep -oE '\<(cdb|cidr|hash|lmdb|pcre|regexp|texthash):/[^] ,{}]+' | sort -u |
    while read -r table; do
      timeout 10 postmap -c "$1" -q nobody@relay.invalid "$table" </dev/null || true # there is no such key
    done
}

# The key comes first, then its certificate (postconf(5), smtpd_tls_chain_files).
certificates() { # parameters
  files=$(echo "$1" | sed -n 's/^smtpd_tls_chain_files = //p' | tr , ' ')
  test "$files" || return 0
  # shellcheck disable=SC2086 # some words
  key=$(cat $files | openssl pkey -passin pass: -pubout 2>/dev/null)
  # shellcheck disable=SC2086
  certified=$(cat $files | openssl x509 -noout -pubkey 2>/dev/null)
  { test "$key" && test "$key" = "$certified"; } ||
    echo "smtpd_tls_chain_files: OpenSSL reads no key with its certificate in$(printf ' %s' "$files")" >&2
}

# What systemd has to complain of units, and not of others that these need (systemd-analyze(1), verify).
units() {
  test -d "$1/units" || return 0
  names=$(cd "$1/units" && printf '|%s' *)
  systemd-analyze verify --man=no "$1"/units/* 2>&1 | grep -E "^($1/units/|(${names#|}): Command )" >&2
}

# comm(1) leaves the complaints that the configuration in use does not cause already.
refused() {
  complaints "$1" >"$1/after"
  test -s "$1/after" || return 1 # as a rule
  complaints $DIRECTORY >"$1/before"
  if comm -13 "$1/before" "$1/after" | grep . >&2; then
    echo "the new configuration is refused (above); nothing was changed" >&2
  else
    return 1
  fi
}

# A service of systemd's ends whole, also where this shell is killed.
rehearsed() {
  tried=$1
  printf '%s' "$2" >"$tried/rehearsal"
  shift 2
  room=quietrelay-aside-$$
  wrong=$(systemd-run --quiet --pipe --wait --collect --unit=$room -p RuntimeDirectory=$room -p RuntimeMaxSec=60 \
    -p ProtectSystem=strict "$@" bash "$tried/rehearsal" "$tried" </dev/null 2>&1) && test -z "$wrong" && return
  { echo "$wrong" | sed "s|$tried|$DIRECTORY|g"; echo "the new configuration is refused (above); nothing of it was live"; } >&2
  return 1
}

switch_files() (
  if test -e $DIRECTORY/main.cf; then
    tried=$(mktemp -d $DIRECTORY/.new.XXXXXX) || return
    trap 'rm -rf "$tried"' EXIT
    chmod 755 "$tried"
    cp -p $DIRECTORY/main.cf $DIRECTORY/master.cf "$tried"/
    for path; do
      test -e "$path$ASIDE" || continue
      case $path in
        $UNITS/*) mkdir -p "$tried/units" && cp "$path$ASIDE" "$tried/units/${path##*/}" ;;
      esac
      sed -i "s#$path\([^A-Za-z0-9._/-]\|\$\)#$path$ASIDE\1#g" "$tried"/*.cf
      # Postfix waits until what it reads is two seconds old (dict_load_file_xt in its dict.c); this is whole.
      touch -d "5 seconds ago" "$path$ASIDE"
    done
    touch -d "5 seconds ago" "$tried"/*.cf
    if cmp -s "$tried/main.cf" $DIRECTORY/main.cf && cmp -s "$tried/master.cf" $DIRECTORY/master.cf; then
      rm "$tried"/*.cf # they name none of these files
    fi
    if refused "$tried"; then return 1; fi
  fi
  for path; do
    test ! -e "$path$ASIDE" || mv -T "$path$ASIDE" "$path" || return
  done
)
