"""Messages that can be found again, and the places where they arrive."""

import secrets
import tarfile
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.policy import SMTP, EmailPolicy
from io import BytesIO
from itertools import count

from lab.topology import OUTSIDE_DOMAIN, OUTSIDE_MAILDIR
from tests.support.remote import Remote

PATIENCE = 30  # seconds in which mail has to move on

SESSION = f"qr{secrets.token_hex(4)}"
_numbers = count(1)


def new_token() -> str:
    """Make a word that is in one message only, and in no other session's."""
    return f"{SESSION}x{next(_numbers)}x"


def outside_address(token: str) -> str:
    """Write to the mail server outside, under an address that bears the token."""
    return f"{token}@{OUTSIDE_DOMAIN}"


def letter(token: str, policy: "EmailPolicy[EmailMessage]" = SMTP, **headers: str) -> EmailMessage:
    """Write a short message.

    :param headers: further ones; underscores in names become hyphens
    """
    message = EmailMessage(policy)
    message["Subject"] = f"Letter {token}"
    message["From"] = "Somebody <somebody@relay.test>"
    message["To"] = "undisclosed-recipients:;"
    message["Message-ID"] = f"<{token}@relay.test>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(f"Dear reader of {token},\n.\n..\nReceived: from me, in the body\nGoodbye")
    return message


def trace(message: Message) -> list[str]:
    """List a message's trace headers, each on one line, the newest first."""
    return [" ".join(str(value).split()) for value in message.get_all("Received", [])]


class Maildir:
    """The mailbox outside that takes all mail of its domain."""

    def __init__(self, remote: Remote) -> None:
        """Look into the mailbox on a host."""
        self.remote = remote

    def arrived(self, token: str, at_least: int = 0) -> list[bytes]:
        """Fetch the messages with this token, as they are on disk.

        :param at_least: wait until there are as many
        """
        found = self.remote.run_bytes(
            f"""
            end=$(($(date +%s) + {PATIENCE}))
            while
                set -- $(grep -rlF -e {token} {OUTSIDE_MAILDIR}/new 2>/dev/null)
                [ $# -lt {at_least} ] && [ $(date +%s) -lt $end ]
            do sleep 0.1; done
            printf '%s\\n' "$@" | sed '/^$/d' | tar --create --absolute-names --files-from=-
            """
        )
        with tarfile.open(fileobj=BytesIO(found)) as archive:
            messages = [file.read() for entry in archive if (file := archive.extractfile(entry))]
        assert len(messages) >= at_least, (
            f"{len(messages)} of {at_least} messages arrived outside for {token}"
        )
        return messages

    def clean(self) -> None:
        """Remove this session's messages."""
        self.remote.run(f"grep -rlZF -e {SESSION} {OUTSIDE_MAILDIR}/new | xargs -0r rm -f")


def settle(token: str, *stations: Remote) -> None:
    """Wait until no station has mail with this token in its envelope on its way any more.

    :param stations: in the order in which mail passes them: each has handed on what it had before the next is
        looked at, so that nothing slips by
    """
    for station in stations:
        station.run(
            f"""
            fewest= end=$(($(date +%s) + {PATIENCE}))
            left() {{ postqueue -j | grep -cF -e {token} || true; }}
            # Two looks: mail that changes its queue directory during one can be overlooked by it.
            while now=$(left); [ $now != 0 ] || {{ now=$(left); [ $now != 0 ]; }}; do
                if [ $now -lt ${{fewest:-$((now + 1))}} ]; then  # it moves
                    fewest=$now end=$(($(date +%s) + {PATIENCE}))
                fi
                [ $(date +%s) -lt $end ] || {{ echo "mail with {token} is stuck" >&2; exit 1; }}
                sleep 0.1
            done
            """
        )


def wait_for_deferral(token: str, station: Remote) -> str:
    """Wait until every message with this token in its envelope has a reason for staying, and tell it."""
    return station.run(
        f"""
        end=$(($(date +%s) + {PATIENCE}))
        while queued=$(postqueue -j | grep -F -e {token}); echo "$queued" | grep -qv delay_reason; do
            [ $(date +%s) -lt $end ] || {{ echo "no reason: $queued" >&2; exit 1; }}
            sleep 0.1
        done
        echo "$queued"
        """
    )


class LocalMail:
    """What arrives in the relay's own mailboxes while this is open; it is removed again at the end."""

    def __init__(self, remote: Remote) -> None:
        """Remember how the mailboxes are now."""
        self.remote = remote
        self._before = self._sizes()

    def arrived(self, token: str) -> list[bytes]:
        """Fetch the messages with this token, as they are on disk."""
        return [message for message in self._new() if token.encode() in message]

    def remove(self) -> None:
        """Put the mailboxes back to what they were."""
        for path in self._sizes():
            before = self._before.get(path)
            self.remote.run(f"rm {path}" if before is None else f"truncate -s {before} {path}")

    def _new(self) -> Iterator[bytes]:
        for path, size in self._sizes().items():
            if grown := size - self._before.get(path, 0):
                # mbox(5): an empty line ends every message.
                added = b"\n" + self.remote.run_bytes(f"tail -c {grown} {path}").removesuffix(b"\n")
                yield from (b"From " + message for message in added.split(b"\nFrom ")[1:])

    def _sizes(self) -> dict[str, int]:
        lines = self.remote.run("find /var/mail/ -maxdepth 1 -type f -printf '%s %p\\n'").splitlines()
        return {path: int(size) for size, path in (line.split(" ", 1) for line in lines)}
