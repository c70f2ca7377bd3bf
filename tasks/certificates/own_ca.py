"""The openssl calls of a relay's own small CA. Everything here is pure: it writes commands."""

from pyinfra.api import QuoteString, StringCommand

AUTHORITY_DAYS = 3650

AUTHORITY_PROFILE = """\
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
"""

CERTIFICATE_PROFILE = """\
[req]
prompt = no
distinguished_name = name
[name]
CN = mail relay
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:{hostname}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


def authority(directory: str) -> StringCommand:
    """Make the CA: ``ca.key``, 0600 from the first byte, and ``ca.pem`` (openssl-req(1))."""
    return _in_workshop(
        directory,
        AUTHORITY_PROFILE,
        f'openssl req -x509 {NEW_KEY} -days {AUTHORITY_DAYS} -config "$new"/profile'
        ' -keyout "$new"/ca.key -out "$new"/ca.pem 2> "$new"/log || { cat "$new"/log >&2; exit 1; }',
        'chmod 644 "$new"/ca.pem && mv "$new"/ca.key ca.key && mv "$new"/ca.pem ca.pem',
    )


def certificate(directory: str, hostname: str, days: int) -> StringCommand:
    """Have the CA issue ``relay.pem``, key and certificate in one file so that one rename replaces both.

    A CN holds 64 characters and a host name more, so the name stands in subjectAltName only, where clients
    look (RFC 6125 6.4.4).
    """
    return _in_workshop(
        directory,
        CERTIFICATE_PROFILE.format(hostname=hostname),
        f'openssl req -new {NEW_KEY} -config "$new"/profile -keyout "$new"/key -out "$new"/request'
        ' 2> "$new"/log || { cat "$new"/log >&2; exit 1; }',
        'openssl x509 -req -in "$new"/request -CA ca.pem -CAkey ca.key -CAserial "$new"/serial'
        f' -CAcreateserial -days {days} -extfile "$new"/profile -extensions extensions'
        ' -out "$new"/certificate 2> "$new"/log || { cat "$new"/log >&2; exit 1; }',
        'cat "$new"/key "$new"/certificate > "$new"/relay.pem && mv "$new"/relay.pem relay.pem',
    )


def _in_workshop(directory: str, profile: str, *steps: str) -> StringCommand:
    """Work in a private directory below, which is gone afterwards."""
    return StringCommand(
        "cd",
        QuoteString(directory),
        "&& umask 077 && new=$(mktemp -d ./.new.XXXXXX) && trap 'rm -rf \"$new\"' EXIT &&",
        "printf %s",
        QuoteString(profile),
        '> "$new"/profile &&',
        " && ".join(f"{{ {step}; }}" for step in steps),
    )
