"""Other login backends on the relays of an inventory, and what each owes to users and to intruders."""

from base64 import b64encode
from pathlib import Path

from tests.support import attacks, strangers
from tests.support.at_once import at_once
from tests.support.bed import Account, Endpoint, Relay, TestBed
from tests.support.deploy import Deploy, Run
from tests.support.smtp import MailProgram
from tests.support.verification import verify

ATTACKS = 5000  # lines of a log

INVENTORY = """
import runpy

from lab import topology as lab
from lab.roles.directory import SECOND_LDAP, SECOND_LDAPS
from tasks.settings import *

_hosts, _data = runpy.run_path({inventory!r})["relays"]
given = _data["login"]
relays = (_hosts, _data | {{"login": {login}}})
"""


class Backends:
    """Deploys the relays with one login backend or another."""

    def __init__(self, test_bed: TestBed, root: Path, directory: Path) -> None:
        """Begin with the backend that the inventory names.

        :param root: where deploy.py lies
        :param directory: for inventories that name another
        """
        self._test_bed = test_bed
        self._given = Path(test_bed.inventory).resolve()
        self._root, self._directory = root, directory
        self._now = str(self._given)

    def choose(self, login: str) -> Run:
        """Deploy the inventory with another login section.

        :param login: Python expression; `given` is the inventory's own, `lab` the lab's names
        """
        inventory = self._directory / "another.py"
        inventory.write_text(INVENTORY.format(inventory=str(self._given), login=login))
        self._now = str(inventory)
        return self.run()

    def run(self) -> Run:
        """Deploy what was chosen once more."""
        return Deploy(self._now, self._root).run()

    def plan(self) -> Run:
        """Tell what deploying it would change."""
        return Deploy(self._now, self._root).plan()

    @property
    def are_the_given(self) -> bool:
        """Whether the relays have what the inventory names."""
        return self._now == str(self._given)

    def verify(self) -> str:
        """Verify the relays as one does who gives no account, after a week of attacks; tell what failed."""
        # Logs are read from there on; what another test has done before, an outage say, is not this one's.
        self._test_bed.everywhere("postfix reload 2>&1")
        strangers.try_all(self._test_bed)
        for relay in self._test_bed.relays:
            attacks.leave(relay, attacks.week(ATTACKS, attacks.stamp_on(relay), relay.name))
        return verify(self._now, self._root)

    def go_back(self) -> Run:
        """Deploy the inventory as it is."""
        self._now = str(self._given)
        return self.run()


def endpoint_of(test_bed: TestBed, relay: Relay, port: int = 465) -> Endpoint:
    """Give a relay's endpoint, in the first family."""
    return next(
        endpoint for endpoint in test_bed.endpoints if (endpoint.relay, endpoint.port) == (relay, port)
    )


def reply(program: MailProgram, endpoint: Endpoint, login: str, password: str) -> int:
    """Log in, and return the reply's code."""
    with program.open_secure(endpoint) as conversation:
        return conversation.log_in_by_plain(Account(login, password)).code


def intrusions(account: Account) -> dict[str, bytes]:
    """Write names that are not somebody's, but might be taken for it, as what AUTH PLAIN sends before base64.

    :param account: somebody; the password is right in each
    """
    login, password = (word.encode() for word in account)
    # As an LDAP server would read a DN's value in hexadecimal: a BER string (RFC 4514 2.4).
    hexadecimal = b"#04%02x%s" % (len(login), login.hex().encode())
    names = {
        "any": b"*",
        "beginning": login[:1] + b"*",
        "filter": b"*)(uid=*",
        "filter closed": login + b")(objectClass=*",
        "filter escaped": b"\\2a",
        "letter escaped": b"\\%02x%s" % (login[0], login[1:]),
        "DN": login + b",ou=People",
        "two values": login + b"+cn=x",
        "DN in hexadecimal": hexadecimal,
        # Blanks around a name are libsasl's to strip; Postfix knows the name without them (canonusr.c).
        "blank inside": login + b" x",
        "line end inside": login + b"\r\nx",
        "tab inside": login[:1] + b"\t" + login[1:],
        "command": b'x\r\nsaslauthd LOGIN "%s" "%s"' % (login, password),
        "quoted": b'"' + login + b'"',
        "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in account.login).encode(),
        "soft hyphen": login[:1] + "\xad".encode() + login[1:],
        "not UTF-8": login + b"\xff\xfe",
        "Latin-1": b"M\xfcller",
        "10,000 characters": login * (10_000 // len(login)),
        "300 characters": login + b"x" * 300,
        "any domain": login + b"@nobody.test",
        "two domains": login + b"@relay.test@relay.test",
        "no user": b"@relay.test",
    }
    plain = {about: b"\0%s\0%s" % (name, password) for about, name in names.items()}
    return plain | {
        "NUL in the name": b"\0%s\0x\0%s" % (login, password),
        "NUL after the password": b"\0%s\0%s\0" % (login, password),
        "no password": b"\0" + login,
        "nothing": b"",
    }


def replies_to_intrusions(program: MailProgram, endpoint: Endpoint, account: Account) -> dict[str, int]:
    """Try them all, and base64 that is none, each in a conversation of its own; return the replies' codes."""
    lines = {about: b64encode(said).decode() for about, said in intrusions(account).items()}
    right = b64encode(b"\0%s\0%s" % tuple(word.encode() for word in account)).decode()
    lines |= {"broken base64": right[:-3], "base64 of two": f"{right}{right}", "no base64": "%%%"}
    return at_once(lambda about: _reply_to(program, endpoint, lines[about]), lines, limit=16)


def _reply_to(program: MailProgram, endpoint: Endpoint, line: str) -> int:
    conversation = program.open_secure(endpoint)
    try:
        answer = conversation.say(f"AUTH PLAIN {line}")
        return conversation.say("").code if answer.code == 334 else answer.code
    finally:
        conversation.close()  # without QUIT: what Postfix makes of the rest of such a line is its own affair


def let_in(replies: dict[str, int]) -> list[str]:
    """List the intrusions that were not refused."""
    return [about for about, code in replies.items() if code < 400]
