"""An LDAP server that answers what OpenLDAP does not: any code, late, or with another server's address.

Run by itself, on a host of the lab, for ldaps, or without TLS for ldap and ldapi:

    python3 ldap_stub.py PORT CERTIFICATE KEY
    python3 ldap_stub.py PORT-OR-SOCKET

It says on standard output when it listens, and finds everybody whom it is asked for. `code-53` is refused
by that result code whatever the password, and every bind of hers is told on standard output. `late-5` is
answered after five seconds, `busy` is not searched for, and with `referred` comes another server's address.
The right password is `right`.
"""

import asyncio
import re
import ssl
import sys

BASE = "ou=People,dc=relay,dc=test"
RELAY = b"cn=relay,"
RIGHT = b"right"
BIND, SEARCH = 0x60, 0x63
SUCCESS, BUSY, WRONG = 0, 51, 49
ELSEWHERE = b"ldap://elsewhere.invalid/"


def element(tag: int, *content: bytes) -> bytes:
    """Write a BER element of less than 128 bytes."""
    whole = b"".join(content)
    assert len(whole) < 0x80
    return bytes([tag, len(whole)]) + whole


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Part BER elements that follow each other."""
    found = []
    while data:
        tag, size, begin = data[0], data[1], 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(data[2:begin], "big")
        found.append((tag, data[begin : begin + size]))
        data = data[begin + size :]
    return found


def result(tag: int, code: int) -> bytes:
    """Write an LDAPResult (RFC 4511 4.1.9)."""
    return element(tag, element(0x0A, bytes([code])), element(4), element(4))


def wanted(user: str, kind: str) -> int | None:
    """Read the number that a name has in it."""
    found = re.fullmatch(rf"{kind}-(\d+)", user)
    return int(found[1]) if found else None


async def bound(content: bytes) -> bytes:
    """Answer a bind."""
    (_, _), (_, name), (_, password) = elements(content)
    found = re.match(rb"uid=([^,]*),", name)
    user = found[1].decode() if found else ""
    print(f"bind {user}", flush=True)
    await asyncio.sleep(wanted(user, "late") or 0)
    code = wanted(user, "code")
    if code is None:
        code = SUCCESS if password == RIGHT or name.startswith(RELAY) else WRONG
    return result(0x61, code)


def found(content: bytes) -> list[bytes]:
    """Answer a search."""
    match = re.search(rb"uid\x04(.)", content, re.DOTALL)
    assert match
    user = content[match.end() : match.end() + match[1][0]]
    if user == b"busy":
        return [result(0x65, BUSY)]
    entry = element(0x64, element(4, b"uid=" + user + b"," + BASE.encode()), element(0x30))
    reference = [element(0x73, element(4, ELSEWHERE))] if user == b"referred" else []
    return [entry, *reference, result(0x65, SUCCESS)]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other."""
    try:
        while True:
            head = await reader.readexactly(2)
            size = head[1]
            if size & 0x80:
                size = int.from_bytes(await reader.readexactly(size & 0x7F), "big")
            (_, number), (tag, content), *_ = elements(await reader.readexactly(size))
            if tag not in (BIND, SEARCH):
                break
            answers = [await bound(content)] if tag == BIND else found(content)
            writer.write(b"".join(element(0x30, element(2, number), answer) for answer in answers))
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    writer.close()


async def main(where: str, certificate: str = "", key: str = "") -> None:
    """Serve until somebody ends it."""
    proof = None
    if certificate:
        proof = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        proof.load_cert_chain(certificate, key)
    if where.startswith("/"):
        server: asyncio.Server = await asyncio.start_unix_server(serve, where)
    else:
        server = await asyncio.start_server(serve, None, int(where), ssl=proof)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
