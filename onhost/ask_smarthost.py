"""Asks a smarthost whether it lets the relay in: HOST PORT tls|starttls CA [PASSWORDS].

PASSWORDS is Postfix's table, in which the second word of the last line is NAME:PASSWORD; without one there is
no login. Nothing is sent. Standard library only; it runs on the relay, by Python 3.11.
"""

import smtplib
import ssl
import sys
from base64 import b64encode
from pathlib import Path

PATIENCE = 10  # seconds


def ask(host: str, port: int, security: str, trust: ssl.SSLContext, login: tuple[str, str] | None) -> None:
    """Hold a conversation up to the login.

    :raises OSError: where it does not come so far
    """
    if security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=trust)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    with server:
        if security != "tls":
            server.starttls(context=trust)
        server.ehlo()
        if login:
            code, said = log_in(server, *login)
            if code != 235:
                raise smtplib.SMTPAuthenticationError(code, said)


def log_in(server: smtplib.SMTP, name: str, password: str) -> tuple[int, bytes]:
    """Log in by PLAIN or LOGIN; smtplib's own way knows no password that is not ASCII."""
    if "PLAIN" in server.esmtp_features.get("auth", "").split():
        return server.docmd("AUTH", f"PLAIN {encoded(f'{chr(0)}{name}{chr(0)}{password}')}")
    asked = server.docmd("AUTH", f"LOGIN {encoded(name)}")
    return server.docmd(encoded(password)) if asked[0] == 334 else asked


def encoded(text: str) -> str:
    """Write it as AUTH does (RFC 4954 4)."""
    return b64encode(text.encode()).decode()


def read_login(table: str) -> tuple[str, str]:
    """Read name and password from Postfix's table (postconf(5), smtp_sasl_password_maps)."""
    _, _, pair = Path(table).read_text(encoding="utf-8").splitlines()[-1].partition(" ")
    name, _, password = pair.partition(":")
    return name, password


def remedy(error: Exception) -> str:
    """Tell what is wrong, and what to do."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
        return f"it refuses the login ({error.smtp_code} {said}); correct smarthost.username or password_file"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}; correct smarthost.host or ca_file"
    if isinstance(error, ssl.SSLError):
        return f"no TLS there: {error.reason}; correct smarthost.port or security"
    return f"{error}; correct smarthost.host or port, or see the firewalls on the way"


if __name__ == "__main__":
    host, port, security, ca, *table = sys.argv[1:]
    try:
        trust = ssl.create_default_context(cafile=ca)
        ask(host, int(port), security, trust, read_login(table[0]) if table else None)
    except (OSError, smtplib.SMTPException) as error:  # the latter is an OSError as well
        sys.exit(remedy(error))
