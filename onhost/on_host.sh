# shellcheck shell=bash
# A source of certificates: files on the host that somebody else renews. Functions, put before what uses them.
#
#   obtained OUT    copy the keys of $KEY and their certificates into one file, in the order that Postfix wants
#   reasons         say why they have to be copied anew, beside what is true of every certificate
#   authorities     print whom to trust beside those that everybody trusts: $AUTHORITIES, PEM
authorities() { printf '%s\n' "$AUTHORITIES"; }

PATIENCE=${PATIENCE-20} # seconds for whoever renews to be between two files

obtained() {
  while
    key_and_chain "$1" "$KEY" "$CERTIFICATE"
    ! matched "$1"
  do
    test "${PATIENT-}" && ((SECONDS < PATIENCE)) || return 0 # `unfit` says what is wrong
    sleep 1
  done
}

# shellcheck disable=SC2034 # what it depends on, beside the time
FILES=("$KEY" "$CERTIFICATE")

reasons() {
  key_and_chain "$WORK/source" "$KEY" "$CERTIFICATE"
  cmp -s "$WORK/source" "$TARGET" || echo "$CERTIFICATE is another than the one in $TARGET"
}
