# shellcheck shell=sh
# A relay's own small CA (openssl-req(1), openssl-x509(1)), in a directory that exists.
#
#   own_ca.sh authority DIRECTORY                    makes ca.key, 0600 from the first byte, and ca.pem
#   own_ca.sh certificate DIRECTORY HOSTNAME DAYS    has it issue relay.pem
set -e
umask 077
AUTHORITY_DAYS=3650
NEW_KEY='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

# Works in a private directory below, which is gone afterwards.
workshop() {
  cd "$1"
  new=$(mktemp -d ./.new.XXXXXX)
  trap 'rm -rf "$new"' EXIT
}

# Shows what openssl says where it fails.
quietly() {
  "$@" 2>"$new/log" || {
    cat "$new/log" >&2
    exit 1
  }
}

authority() {
  workshop "$1"
  cat >"$new/profile" <<END
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Mail relay's own CA
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
  # shellcheck disable=SC2086 # several words
  quietly openssl req -x509 $NEW_KEY -days $AUTHORITY_DAYS -config "$new/profile" \
    -keyout "$new/ca.key" -out "$new/ca.pem"
  chmod 644 "$new/ca.pem"
  mv "$new/ca.key" ca.key
  mv "$new/ca.pem" ca.pem
}

# A CN holds 64 characters and a host name more, so the name stands in subjectAltName only, where clients look
# (RFC 6125 6.4.4). Key and certificate are in one file, so that one rename replaces both.
certificate() {
  workshop "$1"
  cat >"$new/profile" <<END
[req]
prompt = no
distinguished_name = name
[name]
CN = mail relay
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $2
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
  # shellcheck disable=SC2086 # several words
  quietly openssl req -new $NEW_KEY -config "$new/profile" -keyout "$new/key" -out "$new/request"
  quietly openssl x509 -req -in "$new/request" -CA ca.pem -CAkey ca.key -CAserial "$new/serial" \
    -CAcreateserial -days "$3" -extfile "$new/profile" -extensions extensions -out "$new/certificate"
  cat "$new/key" "$new/certificate" >"$new/relay.pem"
  mv "$new/relay.pem" relay.pem
}

"$@"
