"""Makes messages that no client has written yet, each with what has to become of it (hypothesis).

What is expected is known from how a message was made, and not worked out by patterns like those of the relay.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from tasks.privacy.headers import GOING, MIME_VERSION, NAMING, VOUCHED, names
from tasks.privacy.ids import PRIVATE_DOMAINS

SECRET = "secret-7f3a"
RELAY = "%relay%"

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
OCTET = st.integers(0, 255).map(str)
IPV4 = st.lists(OCTET, min_size=4, max_size=4).map(".".join)
IPV6 = st.ip_addresses(v=6).flatmap(lambda one: st.sampled_from([one.compressed, one.exploded]))
WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":%"), min_size=1, max_size=30
)
FOLDS = st.sampled_from([" ", "\r\n ", "\r\n\t", "  ", "\r\n    "])


@dataclass(frozen=True)
class Header:
    """A header, and what has to become of it: None where it must go."""

    sent: str
    delivered: str | None


@st.composite
def spelled(draw: st.DrawFn, name: str) -> str:
    """Write a header's name in any case, and fill in for * what may come there."""
    name = name.replace("*", draw(TOKEN))
    return "".join(draw(st.sampled_from([one.upper(), one.lower()])) for one in name)


LEAVING = names(VOUCHED, NAMING, (MIME_VERSION,))


def unknown(name: str) -> bool:
    """Tell whether nobody vouches for a header of this name."""
    return not any(
        name.lower().startswith(one[:-1].lower()) if one.endswith("*") else name.lower() == one.lower()
        for one in LEAVING
    )


STRANGE = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":%"), min_size=2, max_size=20
)
# What looks like a header that leaves, and is none.
ALMOST = st.tuples(
    st.sampled_from(["", ">", "X-", "Original-", "_"]),
    st.sampled_from([name.rstrip("*") for name in LEAVING]),
    st.sampled_from(["", "-", "-IP", "s"]),
).map("".join)
NAMES = st.one_of(
    st.sampled_from(["Received", *names(GOING)]), STRANGE.filter(unknown), ALMOST.filter(unknown)
)


@st.composite
def dropped(draw: st.DrawFn) -> Header:
    """A header that tells on its user, or that nobody knows."""
    name = draw(spelled(draw(NAMES)))
    colon = draw(st.sampled_from([":", ": ", " :", "\t: ", ":\t", ":\r\n "]))
    value = draw(FOLDS).join([*draw(st.lists(WORDS, max_size=4)), SECRET])
    return Header(f"{name}{colon}{value}\r\n", None)


@st.composite
def kept(draw: st.DrawFn) -> Header:
    """A header that is nobody's business, in any form."""
    name = draw(
        st.sampled_from(
            ["Subject", "List-Id", "Keywords", "Chat-User-Avatar", "DKIM-Signature", "X-Priority"]
        )
    )
    text = f"{draw(spelled(name))}: {draw(FOLDS).join(draw(st.lists(WORDS, min_size=1, max_size=6)))}\r\n"
    return Header(text, text)


PRIVATE = st.one_of(
    st.just(SECRET),
    IPV4.map("[{}]".format),
    IPV6.map("[IPv6:{}]".format),
    IPV4,
    IPV6,
    st.tuples(TOKEN, st.sampled_from(PRIVATE_DOMAINS)).map(lambda parts: f"{SECRET}.{parts[0]}.{parts[1]}"),
    st.tuples(IPV4, TOKEN).map(lambda parts: f"dsl-{parts[0].replace('.', '-')}.{parts[1]}.example.net"),
)
PUBLIC = st.sampled_from(
    ["example.org", "mail.example.com", "outside.org", "local.example.org", "x9.y8.z7.org"]
)


@st.composite
def message_id(draw: st.DrawFn, private: bool) -> tuple[str, str]:
    """An id as it is sent, and as it has to arrive."""
    left = draw(st.lists(TOKEN, min_size=1, max_size=3).map(".".join))
    if not private:
        made = f"<{left}@{draw(PUBLIC)}>"
        return made, made
    match draw(st.sampled_from(["plain", "plain", "plain", "outlook", "squirrel"])):
        case "outlook":
            return f"<{left}$00001234$0501a8c0@{draw(PRIVATE)}>", f"<{left}$00001234@{RELAY}>"
        case "squirrel":
            return f"<3309.{draw(IPV4)}.11154.squirrel@{draw(PUBLIC)}>", f"<3309.11154.squirrel@{RELAY}>"
        case _:
            return f"<{left}@{draw(PRIVATE)}>", f"<{left}@{RELAY}>"


@st.composite
def naming(draw: st.DrawFn) -> Header:
    """A header that names messages."""
    name = draw(spelled(draw(st.sampled_from(names(NAMING)))))
    flags = draw(st.lists(st.booleans(), min_size=1, max_size=13))
    ids = [draw(message_id(private)) for private in flags]
    fold = draw(FOLDS)
    sent, delivered = (f"{name}: {fold.join(one[number] for one in ids)}\r\n" for number in (0, 1))
    return Header(sent, delivered)


HEADERS = st.lists(st.one_of(dropped(), kept(), naming()), min_size=1, max_size=12)


@st.composite
def sample(draw: st.DrawFn) -> "tuple[str, str]":
    """Make a message: as it is sent, and as it has to arrive, both with CRLF."""
    headers = draw(HEADERS)
    body = "\r\n" + "".join(
        f"{line}\r\n" for line in draw(st.lists(WORDS | st.just("Received: it stays"), max_size=5))
    )
    return (
        "".join(header.sent for header in headers) + body,
        "".join(header.delivered for header in headers if header.delivered is not None) + body,
    )
