"""A file of accounts says what it says, and its mistakes are told without its passwords."""

import hashlib
import hmac
from base64 import b64decode

import pytest

from lab.topology import USERS
from tasks.login import accounts

SECRET = "pa55word"
HASHED = accounts.scram(SECRET, b"0123456789abcdef")


def test_everything_after_the_first_colon_is_the_password() -> None:
    text = "# locked:\n#alice:x\n\nbob:a:b #c \r\ncarol@example.org:  {x}\n"
    assert accounts.parse(text) == {"bob": "a:b #c ", "carol@example.org": "  {x}"}


def test_every_password_of_the_lab_can_be_written() -> None:
    text = "".join(f"{user.uid}:{user.password}\n" for user in USERS)
    assert accounts.parse(text) == {user.uid: user.password for user in USERS}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no account"),
        ("# alice:x\n", "has no account"),
        (f"alice:x\n{SECRET}\n", "line 2: has no colon"),
        (f"alice bob:{SECRET}\n", "line 1: what stands before the colon is no name"),
        (f":{SECRET}\n", "line 1: what stands before the colon is no name"),
        (f"a@b@c:{SECRET}\n", "line 1: what stands before the colon is no name"),
        ("alice:\n", "line 1: alice has no password"),
        (f"alice:{SECRET}\nalice:x\n", "line 2: alice stands here for the second time"),
        (f"alice:{SECRET * 40}\n", "line 1: alice's password is longer than 256 bytes"),
        (f"alice:{SECRET}\0\n", "line 1: alice's password is longer than 256 bytes, or has a tab"),
        (f"alice:{{SHA512-CRYPT}}{SECRET}\n", "line 1: alice's password looks like a hash"),
        (f"alice:{{SCRAM-SHA-256}}{SECRET}\n", "line 1: alice's password looks like a hash"),
    ],
)
def test_mistake_is_told_without_a_password(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="^" + told) as caught:
        accounts.parse(text)
    assert SECRET not in str(caught.value)


def test_hash_for_scram_is_kept_as_it_is() -> None:
    found = accounts.parse(f"alice:{HASHED}\n")
    assert accounts.is_hash(found["alice"])
    assert accounts.passwd_file(found, "mx1.example.org") == f"alice:{HASHED}\n"


def test_scram_is_derived_as_rfc_5802_says() -> None:
    iterations, salt, stored, server = HASHED.removeprefix("{SCRAM-SHA-256}").split(",")
    salted = hashlib.pbkdf2_hmac("sha256", SECRET.encode(), b64decode(salt), int(iterations))
    client_key = hmac.new(salted, b"Client Key", "sha256").digest()
    assert b64decode(stored) == hashlib.sha256(client_key).digest()
    assert b64decode(server) == hmac.new(salted, b"Server Key", "sha256").digest()
    assert int(iterations) >= 4096


def test_passwd_file_is_the_same_for_the_same_and_holds_no_password() -> None:
    found = {"bob": SECRET, "alice": SECRET}
    text = accounts.passwd_file(found, "mx1.example.org")
    assert text == accounts.passwd_file(dict(reversed(found.items())), "mx1.example.org")
    assert SECRET not in text
    alice, bob = (line.partition(":")[2] for line in text.splitlines())
    assert alice != bob
    assert text != accounts.passwd_file(found, "mx2.example.org")


def test_sasldb_has_names_without_a_domain_in_the_relays_realm() -> None:
    pairs = accounts.sasldb({"bob": "x:y", "alice@example.org": "ü"}, "mx1.example.org")
    assert [(bytes.fromhex(key), bytes.fromhex(value).decode()) for key, value in pairs] == [
        (b"alice\0example.org\0userPassword", "ü"),
        (b"bob\0mx1.example.org\0userPassword", "x:y"),
    ]
