# shellcheck shell=bash
# A source of certificates: an ACME server (RFC 8555), spoken to by lego. It follows own_ca.sh, which stands in where the
# server cannot be had. Functions, put before what uses them; $WORK is a private directory of theirs.
#
#   obtained OUT    have a certificate for $NAMES issued for a new key of each of $KINDS (ecdsa, rsa)
#   instead OUT     have the host's own CA issue one, if $IF_UNAVAILABLE says so and there is none that serves
#   reasons         say why a new one is due, beside what is true of every certificate
#   authorities     print whom to trust beside those that everybody trusts: $AUTHORITIES, PEM
#
# $SERVER is the URL of the server's directory, $EMAIL the account's address, $CHALLENGE (http, webroot, dns) how the
# names are proven: with $WEBROOT; or with $NAMESERVER, and $DNS_KEY_FILE, which holds the secret of $DNS_KEY.
ACCOUNTS=$KEPT/acme
declare -A ALGORITHMS=([ecdsa]='ec -pkeyopt ec_paramgen_curve:P-256' [rsa]='rsa:3072')

obtained() {
  local kind
  : >"$1"
  # shellcheck disable=SC2153 # not kinds
  for kind in $KINDS; do
    # shellcheck disable=SC2086 # some words
    quietly openssl req -new -newkey ${ALGORITHMS[$kind]} -nodes -subj / -addext "subjectAltName=DNS:${NAMES// /,DNS:}" \
      -keyout "$WORK/key" -out "$WORK/request" || return 1
    issued || return 1
    key_and_chain "$WORK/pair" "$WORK/key" "$WORK"/lego/certificates/*.crt
    cat "$WORK/pair" >>"$1"
  done
}

# lego keeps accounts below its path, and writes certificates there, of which we keep none.
issued() {
  local words=(--path "$WORK/lego" --server "$SERVER" --email "$EMAIL" --accept-tos --csr "$WORK/request") status=0
  mkdir -p "$ACCOUNTS/accounts" && chmod 700 "$ACCOUNTS" "$ACCOUNTS/accounts"
  rm -rf "$WORK/lego" && mkdir "$WORK/lego" && ln -s "$ACCOUNTS/accounts" "$WORK/lego/accounts"
  case $CHALLENGE in
    http) words+=(--http) ;;
    webroot) words+=(--http --http.webroot "$WEBROOT") ;;
    dns)
      words+=(--dns rfc2136 --dns.resolvers "$NAMESERVER")
      export RFC2136_NAMESERVER=$NAMESERVER RFC2136_TSIG_KEY=$DNS_KEY RFC2136_TSIG_ALGORITHM=$DNS_ALGORITHM.
      # In a first run it still lies aside.
      export RFC2136_TSIG_SECRET_FILE=$DNS_KEY_FILE
      test ! -e "$DNS_KEY_FILE.new" || RFC2136_TSIG_SECRET_FILE=$DNS_KEY_FILE.new
      ;;
  esac
  if test "$AUTHORITIES"; then # beside those that everybody trusts (crypto/x509, SSL_CERT_FILE)
    { cat /etc/ssl/certs/ca-certificates.crt && printf '%s\n' "$AUTHORITIES"; } >"$WORK/servers"
    export LEGO_CA_CERTIFICATES=$WORK/servers
  fi
  test "$CHALLENGE" != http || let_in
  timeout 300 lego "${words[@]}" run >"$WORK/log" 2>&1 || status=$?
  test "$CHALLENGE" != http || let_out
  test $status != 0 || return 0
  echo "$SERVER issues none: $(said "$WORK/log")" >&2
  return 1
}

# Of lego's log what is neither a step nor a greeting, in one line.
said() { # file
  sed -E 's|^[0-9/]+ [0-9:]+ ||; /^\[(INFO|WARN)\]/d; /^(No key|Saved key|!!!!|Your account|configuration|You should|private keys|backups of)/d' \
    "$1" | tail -n 4 | tr -s '\n\t ' ' ' | cut -c1-600
}

# What the server has issued is not given up for a name that it refuses, while it serves another.
instead() {
  test "$IF_UNAVAILABLE" = own_ca && ! enough && { of_own_ca || ! in_part; } && own_ca_certificate "$1"
}

in_part() {
  local name
  for name in $NAMES; do NAMES=$name enough && return; done
  return 1
}

of_own_ca() {
  openssl verify -no-CApath -no-CAstore -CAfile "$CA.pem" -no_check_time "$TARGET" >/dev/null 2>&1
}

authorities() {
  printf '%s\n' "$AUTHORITIES"
  test "$IF_UNAVAILABLE" = refuse || cat "$CA.pem" 2>/dev/null || true
}

reasons() {
  local pair kinds=''
  for pair in $(pairs "$TARGET"); do
    case $(kind_of "$pair") in
      id-ecPublicKey) kinds+=' ecdsa' ;;
      rsaEncryption) kinds+=' rsa' ;;
    esac
  done
  if of_own_ca; then
    echo "$TARGET is of the host's own CA"
  elif test "$kinds" != " $KINDS"; then
    echo "$TARGET is for keys of the kinds$kinds, not $KINDS"
  fi
}
