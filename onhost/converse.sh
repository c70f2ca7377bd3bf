# shellcheck shell=bash
# Holds a conversation with a port of the relay under TLS, and prints what it says. It goes word by word, for
# Postfix turns down who does not wait for its answers.
#
#   converse.sh PORT [PROTOCOL]    PROTOCOL in which TLS is asked for (openssl-s_client(1), -starttls); without it
#                                  TLS is there from the start
#
# With LOG_IN=yes what AUTH PLAIN sends comes by standard input, in base64, and is written by bash itself: no
# argument has it.
port=$1 protocol=${2-}
timeout 5 bash -c "</dev/tcp/localhost/$port" || exit

coproc relay {
  timeout 30 openssl s_client -quiet -connect "localhost:$port" ${protocol:+-starttls "$protocol"} 2>/dev/null
}
# shellcheck disable=SC2154 # coproc sets it
exec 3<&"${relay[0]}" 4>&"${relay[1]}"

say() { printf '%s\r\n' "$1" >&4; }

hear() {
  local line
  while IFS= read -r -t 15 line <&3; do
    echo "${line%$'\r'}"
    [[ $line == [0-9][0-9][0-9]' '* ]] && return
  done
}

test "$protocol" || hear # the greeting; before STARTTLS openssl hears it
say 'EHLO localhost'
hear
if test "${LOG_IN-}"; then
  read -r token
  say "AUTH PLAIN $token"
  hear
fi
say QUIT
