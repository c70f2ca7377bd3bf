"""Smuggling: a message ends where the standard says, and nobody hides a second one in it.

Servers that take another line for the end of a message let a sender hide one in it that the next server takes
for one of the relay's own. Only <CR><LF>.<CR><LF> ends a message (RFC 5321 2.3.8), for everyone.
"""

from tasks.part import Part
from tasks.postfix.configuration import Configuration

PARAMETERS = {
    "smtpd_forbid_bare_newline": "yes",
    "smtpd_forbid_bare_newline_exclusions": "",
    "smtpd_forbid_unauth_pipelining": "yes",
}


def part() -> Part:
    """Have Postfix insist on the standard (postconf(5)); not every one that Debian 12 has had can."""
    return Part(postfix=Configuration(PARAMETERS, where_known=frozenset(PARAMETERS)))
