"""A login that every relay refuses, by which it proves that it does. Pure; no host.

It is of a name that nobody has: no directory counts its mistakes, and locks nobody out. And it comes from the
relay itself, whom fail2ban does not ban (jail.conf(5), ignoreself).
"""

from base64 import b64encode

from tasks.login.sections import Login, SaslauthdLdap

NAME = "nobody-asked-by-quietrelay-to-be-refused"  # longer than a host's account may be (useradd(8))
WRONG = "wrong"


def name(login: Login) -> str:
    """Give a name that nobody has, of a kind that is asked for and not refused unasked (onhost/gate.py)."""
    if isinstance(login, SaslauthdLdap) and login.names == "address":
        return f"{NAME}@{[*login.domains, 'relay.invalid'][0]}"
    return NAME


def lines(mechanisms: tuple[str, ...], name: str) -> list[str]:
    """Say what a client says who logs in with a wrong password, by one of these mechanisms (RFC 4954 4).

    By SCRAM the name alone is told, and refused (RFC 5802 5).
    """
    if "PLAIN" in mechanisms:
        return ["AUTH PLAIN " + _encoded("\0".join(["", name, WRONG]))]
    if "LOGIN" in mechanisms:
        return [f"AUTH LOGIN {_encoded(name)}", _encoded(WRONG)]
    return [f"AUTH {mechanisms[0]} {_encoded(f'n,,n={name},r=once')}"]


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
