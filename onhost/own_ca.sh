# shellcheck shell=bash
# A source of certificates: a relay's own small CA (openssl-req(1), openssl-x509(1)), beside $TARGET. Functions, put
# before what uses them; $WORK is a private directory of theirs.
#
#   obtained OUT    (own_ca_certificate, where another source is put behind) have the CA issue a certificate for $NAMES and $DAYS; key and certificate are in one file
#   reasons         say why a new one is due, beside what is true of every certificate
#   authorities     print whom to trust beside those that everybody trusts
AUTHORITY_DAYS=3650
CA=${TARGET%/*}/ca
# shellcheck disable=SC2034 # what it depends on, beside the time
FILES=("$CA.key" "$CA.pem")

authorities() { cat "$CA.pem" 2>/dev/null || true; }

is_authority() { # and outlives what it issues
  test "$(of_key "$CA.key")" && test "$(of_key "$CA.key")" = "$(of_certificate "$CA.pem")" &&
    openssl x509 -noout -checkend $((366 * 86400)) -in "$CA.pem" >/dev/null
}

# A new certificate is for the key that is there, so that whoever trusts the old one has until its end to take it.
authority() {
  cat >"$WORK/profile" <<END
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Mail relays own CA
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
  if of_key "$CA.key" >/dev/null; then
    cp "$CA.key" "$WORK/ca.key"
  else
    quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WORK/ca.key" || return 1
  fi
  quietly openssl req -x509 -new -key "$WORK/ca.key" -days $AUTHORITY_DAYS -config "$WORK/profile" -out "$WORK/ca.pem" ||
    return 1
  placed "$WORK/ca.key" "$CA.key" && placed "$WORK/ca.pem" "$CA.pem" && chmod 644 "$CA.pem"
}

# A CN holds 64 characters and a host name more, so the name stands in subjectAltName only, where clients look
# (RFC 6125 6.4.4).
own_ca_certificate() {
  is_authority || authority || return 1
  cat >"$WORK/profile" <<END
[req]
prompt = no
distinguished_name = name
[name]
CN = mail relay
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:${NAMES// /,DNS:}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
  quietly openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config "$WORK/profile" \
    -keyout "$WORK/key" -out "$WORK/request" || return 1
  quietly openssl x509 -req -in "$WORK/request" -CA "$CA.pem" -CAkey "$CA.key" -CAserial "$WORK/serial" \
    -CAcreateserial -days "$DAYS" -extfile "$WORK/profile" -extensions extensions -out "$WORK/certificate" ||
    return 1
  cat "$WORK/key" "$WORK/certificate" >"$1"
}

obtained() { own_ca_certificate "$1"; }

reasons() {
  if ! is_authority; then
    echo "there is no CA in ${CA%/*} that can issue"
  elif ! openssl verify -no-CApath -no-CAstore -CAfile "$CA.pem" -no_check_time "$TARGET" >/dev/null 2>&1; then
    echo "$TARGET is not of this host's CA"
  fi
}
