"""SCRAM as a mail program speaks it (RFC 5802, RFC 7677): the password is proved, and never sent.

Names and passwords go as they are: what SASLprep would change of them (RFC 4013), the tests do not use.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

from tests.support.bed import Account
from tests.support.smtp import Conversation, Reply

DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


def log_in(conversation: Conversation, mechanism: str, account: Account) -> Reply:
    """Log in, and see that the server knows the password too.

    :param mechanism: one of `DIGESTS`
    """
    digest = DIGESTS[mechanism]
    name = account.login.replace("=", "=3D").replace(",", "=2C")
    first = f"n={name},r={secrets.token_urlsafe(18)}"
    asked = conversation.say(f"AUTH {mechanism} {_base64(f'n,,{first}')}")
    if asked.code != 334:
        return asked
    challenge = b64decode(asked.text).decode()
    told = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(digest, account.password.encode(), b64decode(told["s"]), int(told["i"]))
    final = f"c={_base64('n,,')},r={told['r']}"
    signed = f"{first},{challenge},{final}".encode()
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), signed, digest)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    proved = conversation.say(_base64(f"{final},p={b64encode(proof).decode()}"))
    if proved.code != 334:
        return proved
    server = hmac.digest(hmac.digest(salted, b"Server Key", digest), signed, digest)
    assert b64decode(proved.text) == b"v=" + b64encode(server), "the server does not know the password"
    return conversation.say("")


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
