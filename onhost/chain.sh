# shellcheck shell=bash
# Reads and judges keys, certificates and their chains, by OpenSSL and the host's own clock. Functions, put before what
# uses them; $WORK is a private directory of theirs, $KEPT holds what the host keeps of the relay.
#
#   key_and_chain OUT KEYS CERTIFICATE...  write each key, its certificate, and the issuer of each
#   pairs FILE                             name the files, in $WORK, that hold each of a file's keys with its chain
#   unfit PAIR NAMES CA                    say what makes a key and its chain unfit for a relay: "key ..." or
#                                          "certificate ...", a line each
#   placed FILE PATH                       have a file be at a path, whole or not at all
#   quietly COMMAND...                     show what a command says where it fails
set -euo pipefail
umask 077
KEPT=${KEPT:-/var/lib/quietrelay}
KNOWN=/etc/ssl/certs # openssl-rehash(1)

finally() { rm -rf "$WORK"; }

workshop() {
  WORK=$(mktemp -d -p "${TMPDIR:-/run}" quietrelay-renewal.XXXXXX)
  trap finally EXIT
  trap 'exit 1' HUP INT TERM
}

quietly() {
  "$@" 2>"$WORK/log" || {
    cat "$WORK/log" >&2
    return 1
  }
}

# What a source does that has no other way.
instead() { return 1; }

placed() { # file, path
  local beside
  beside=$(mktemp "$2.XXXXXX") || return
  { cat "$1" >"$beside" && mv -T "$beside" "$2"; } || { rm -f "$beside"; return 1; } # a disk may be full
}

of_key() { openssl pkey -pubout -passin pass: -in "$1" 2>/dev/null; }
of_certificate() { openssl x509 -noout -pubkey -in "$1" 2>/dev/null; }

kind_of() { openssl x509 -noout -text -in "$1" 2>/dev/null | sed -n 's/ *Public Key Algorithm: //p' || true; }

names_in() { # certificate; a CN does not count (RFC 6125 6.4.4)
  openssl x509 -noout -ext subjectAltName -in "$1" 2>/dev/null | grep -oE 'DNS:[^, ]+' | cut -c5- | tr '[:upper:]' '[:lower:]'
}

day() { # certificate, -startdate or -enddate; in seconds since 1970
  date -d "$(openssl x509 -noout "$2" -in "$1" | cut -d= -f2)" +%s
}

# Each block of some kind in texts, in a file of its own, as OpenSSL reads it however it was written: it takes neither
# blanks before a line nor lines that end with CR alone (PEM_read_bio(3)).
blocks() { # directory, kind (a regular expression), files
  rm -rf "$1" && mkdir "$1"
  local file
  for file in "${@:3}"; do
    cat "$file" && echo
  done 2>/dev/null | tr '\r' '\n' | sed 's/-----BEGIN /\n&/g' | awk -v to="$1/" -v kind="$2" '
    { gsub(/^[ \t]+|[ \t]+$/, "") }
    $0 ~ "^-----BEGIN " kind "-----" { file = sprintf("%s%04d", to, ++n) }
    file && NF { print > file }
    /-----END / { file = "" }' || true # `unfit` says so of a file that is not there
}

# The texts may hold all in any order, and each may hold more than it has to.
key_and_chain() {
  local key
  : >"$1"
  blocks "$WORK/keys" '([A-Z0-9]+ )*PRIVATE KEY' "$2"
  for key in "$WORK"/keys/*; do
    test -e "$key" || break
    blocks "$WORK/blocks" '(X509 )?CERTIFICATE' "${@:3}" "$2"
    of_one_key "$key" >>"$1"
  done
}

of_one_key() { # key; with what is in $WORK/blocks
  local public one subject issuer following=''
  openssl pkey -passin pass: -in "$1" 2>/dev/null || { cat "$1"; return; } # `unfit` says so
  public=$(of_key "$1")
  for one in "$WORK"/blocks/*; do
    test -e "$one" && test "$(of_certificate "$one")" = "$public" && following=$one && break
  done
  while test "$following"; do # the issuer comes behind what it issued (RFC 5246 7.4.2)
    openssl x509 -in "$following"
    issuer=$(openssl x509 -noout -issuer -in "$following") subject=$(openssl x509 -noout -subject -in "$following")
    test "${subject#subject=}" != "${issuer#issuer=}" || break
    rm "$following"
    following=''
    for one in "$WORK"/blocks/*; do
      test -e "$one" || break
      subject=$(openssl x509 -noout -subject -in "$one" 2>/dev/null) || continue
      test "${subject#subject=}" != "${issuer#issuer=}" || following=$one
    done
  done
}

pairs() { # file; there is one, be it empty
  rm -rf "$WORK/pairs" && mkdir "$WORK/pairs" && touch "$WORK/pairs/1"
  awk -v to="$WORK/pairs/" '/-----BEGIN .*PRIVATE KEY-----/ { n++ } n { print > (to n) }' "$1"
  ls -d "$WORK"/pairs/*
}

matched() { # file; whether each of its keys has its certificate
  local pair public
  for pair in $(pairs "$1"); do
    public=$(of_key "$pair") && test "$public" = "$(of_certificate "$pair")" || return 1
  done
}

unfit() { # pair, names, file of CAs beside those that everybody trusts
  local pair=$1 found name missing='' said
  if ! of_key "$pair" >/dev/null 2>&1; then
    echo "key cannot be read as one; correct the path, and give it in PEM, without a passphrase"
    return
  elif ! test "$(of_key "$pair")" = "$(of_certificate "$pair")"; then
    echo "certificate cannot be read, or is not for the key; give the two that belong together, in PEM"
    return
  fi
  if ! openssl x509 -noout -checkend 0 -in "$pair" >/dev/null; then
    echo "certificate expired on $(date -ud "@$(day "$pair" -enddate)" +%F); renew it"
  elif test "$(day "$pair" -startdate)" -gt "$(date +%s)"; then
    echo "certificate is valid only from $(date -ud "@$(day "$pair" -startdate)" +%F); check the clock"
  elif said=$(unfounded "$pair" "$3"); then
    case $said in
      *weak) echo "certificate or its chain is weaker than OpenSSL takes ($said); get one of 2048 bits or more, signed with SHA-256" ;;
      *) echo "certificate has no complete chain (${said:-openssl verify fails}); add the certificates between it and a CA that is" \
        "known here, or name its CA" ;;
    esac
  fi
  found=$(names_in "$pair" || true)
  for name in $2; do
    grep -qxF -e "$name" -e "*.${name#*.}" <<<"$found" || missing+=" $name"
  done
  test -z "$missing" || echo "certificate is for ${found//$'\n'/, }, not for${missing}; get one for that name, or say by which name" \
    "users reach the relay, in Relay(service_names=...)"
}

# Whether no way leads from a certificate to a CA: one that is known here, is named, or stands in the chain itself; by
# the level of security that Debian has Postfix load certificates by (SSL_CTX_set_security_level(3)).
unfounded() { # pair, file of CAs
  local one said
  rm -rf "$WORK/roots" "$WORK/links" && mkdir "$WORK/links"
  awk -v to="$WORK/links/" '/-----BEGIN CERTIFICATE-----/ { n++ } n { print > (to n) }' "$1"
  for one in "$WORK"/links/*; do
    test "$(openssl x509 -noout -subject_hash -in "$one")" != "$(openssl x509 -noout -issuer_hash -in "$one")" ||
      cat "$one" >>"$WORK/roots"
  done
  cat "$2" >>"$WORK/roots"
  local roots=()
  ! grep -q BEGIN "$WORK/roots" || roots=(-CAfile "$WORK/roots")
  said=$(openssl verify -auth_level 2 -purpose sslserver -CApath "$KNOWN" "${roots[@]}" -untrusted "$1" "$1" 2>&1) && return 1
  sed -n 's/^error [0-9]* at [^:]*: //p' <<<"$said" | head -n 1
}
