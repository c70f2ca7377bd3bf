"""The trace header of users' mail tells nothing of them, and no other trace header gets through."""

import re

import pytest

from tasks.privacy import mark_for
from tasks.templates import render
from tests.unit.examples import HOSTNAME

MARK = mark_for("0123456789abcdef")
DATE = "Thu, 20 Nov 2025 10:00:00 +0000 (UTC)"
KEPT = f"Received: by {HOSTNAME} (Postfix) id 4dBTqG1FsVz9sRk; {DATE}"

TLS_1_3 = (
    "\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
    "\n\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)"
    "\n\t(No client certificate requested)"
)
TLS_1_2 = (
    "\n\t(using TLSv1.2 with cipher ECDHE-ECDSA-AES128-GCM-SHA256 (128/128 bits))"
    '\n\t(Client CN "alice; by mx1", Issuer "A CA" (not verified))'
)


def checked(header: str) -> str | None:
    """Put a header through the table as header_checks(5) does; None for one that is dropped.

    PCRE tables ignore case and let a dot match a newline (pcre_table(5)). Python's `re` agrees with PCRE on
    all that the patterns use.
    """
    table = render("postfix/trace_header.pcre", hostname=HOSTNAME, mark=MARK)
    rules = re.findall(r"^/(.*)/[ \n]+(REPLACE .*|IGNORE)$", table, re.MULTILINE)
    assert len(rules) == 2
    for pattern, action in rules:
        if found := re.search(pattern, header, re.IGNORECASE | re.DOTALL):
            _, _, replacement = action.partition(" ")
            return found.expand(re.sub(r"\$(\d)", r"\\g<\1>", replacement)) if replacement else None
    return header


def from_client(
    helo: str = "laptop.home.test",
    client: str = "unknown [192.0.2.7]",
    tls: str = TLS_1_3,
    login: str = "",
    protocol: str = "ESMTPSA",
    recipient: str = "\n\tfor <bob@example.com>",
) -> str:
    """Write the trace header of Postfix 3.7 (smtpd.c, common_pre_message_handling)."""
    by = f"\n\tby {HOSTNAME} ({MARK}) with {protocol} id 4dBTqG1FsVz9sRk"
    end = f"{recipient}; {DATE}" if recipient else f";\n\t{DATE}"
    return f"Received: from {helo} ({client}){tls}{login}{by}{end}"


OWN = {
    "plain": from_client(),
    "TLS 1.2 and a client's certificate": from_client(tls=TLS_1_2),
    "no TLS line": from_client(tls=""),
    "login": from_client(login="\n\t(Authenticated sender: alice@example.org)"),
    "IPv6": from_client(helo="[IPv6:2001:db8::7]", client="laptop.test [IPv6:2001:db8::7]"),
    "address as name": from_client(helo="[192.0.2.7]"),
    "empty name": from_client(helo=""),
    "name like a trace header": from_client(helo=f"by {HOSTNAME} ?Postfix? id 666; by"),
    "name that ends it": from_client(helo=f"x;y? by {HOSTNAME}"),
    "long name": from_client(helo="a" * 200),
    "many recipients": from_client(recipient=""),
    "recipient with a semicolon": from_client(recipient='\n\tfor <"a;b"@example.com>'),
    "recipient like a trace header": from_client(
        recipient=f'\n\tfor <"x by {HOSTNAME} ({MARK[:-1]}) id 6; y"@x.test>'
    ),
    "SMTPUTF8": from_client(protocol="UTF8SMTPSA", recipient="\n\tfor <jörg@example.com>"),
    "short queue id": from_client().replace("4dBTqG1FsVz9sRk", "9F3C12A0B4"),
    "loopback": from_client(
        helo=HOSTNAME, client="localhost [127.0.0.1]", tls="", protocol="ESMTP", recipient=""
    ),
    "Postfix 3.10": f"Received: by {HOSTNAME} ({MARK}) id 4dBTqG1FsVz9sRk\n\tfor <bob@example.com>; {DATE}",
    "Postfix 3.10, many": f"Received: by {HOSTNAME} ({MARK}) id 4dBTqG1FsVz9sRk;\n\t{DATE}",
}


@pytest.mark.parametrize("header", OWN.values(), ids=OWN.keys())
def test_own_trace_header_keeps_queue_id_and_date_alone(header: str) -> None:
    assert checked(header) == KEPT.replace("4dBTqG1FsVz9sRk", re.findall(r" id (4d\w+|9F\w+)", header)[-1])


FOREIGN = {
    "without the mark": from_client().replace(MARK, "Postfix"),
    "what becomes of ours": KEPT,
    "a guessed mark": from_client().replace(MARK, mark_for("another machine")),
    "the mark of another name": from_client().replace(f"by {HOSTNAME}", "by mx1xexample.org"),
    "the mark of a longer name": from_client().replace(f"by {HOSTNAME}", f"by a.{HOSTNAME}"),
    "another server's": f"Received: from a (b [192.0.2.7]) by c.test with SMTP id 5; {DATE}",
    "in capitals": f"RECEIVED: from 192.0.2.7; {DATE}",
    "empty": "Received:",
}


@pytest.mark.parametrize("header", FOREIGN.values(), ids=FOREIGN.keys())
def test_trace_header_that_came_with_the_mail_is_dropped(header: str) -> None:
    assert checked(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "Subject: Received: by",
        "X-Received: by 192.0.2.7",
        "To: bob@example.com,\n\tReceived: <x@example.com>",
    ],
)
def test_other_headers_stay(header: str) -> None:
    assert checked(header) == header
