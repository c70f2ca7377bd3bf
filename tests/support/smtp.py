"""The mail program: SMTP conversations with a relay's ports, TLS verified against the relay's own name."""

import re
import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from quietrelay import seen
from tasks.settings import OwnCa
from tests.support.bed import Account, Endpoint, Relay
from tests.support.client_host import ClientHost

OWN_CA = "/etc/postfix/tls/ca.pem"
PATIENCE = 30.0  # seconds until a silent relay counts as broken
TRANSCRIPT = 100  # lines of a conversation that are kept
HELO = "kitchen-pc.fritz.private.test"


class Reply(NamedTuple):
    """What a relay answers to a command."""

    code: int
    text: bytes

    @property
    def refuses(self) -> bool:
        """Whether the command was turned down, for now (4xx) or for good (5xx)."""
        return self.code >= 400


class Conversation(smtplib.SMTP):
    """A conversation that may lead over a detour, while names are those of the relay."""

    def __init__(self, endpoint: Endpoint, client_host: ClientHost, trust: ssl.SSLContext, helo: str) -> None:
        """Connect and read the greeting; on 465 TLS comes first."""
        self.endpoint = endpoint
        self._client_host = client_host
        self._trust = trust
        self._said: list[str] = []
        super().__init__(endpoint.relay.served_name, endpoint.port, local_hostname=helo, timeout=PATIENCE)
        self.command_encoding = "utf-8"  # for names that are not ASCII

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = self._client_host.connect(self.endpoint.address, port, timeout)
        if not self.endpoint.opens_in_tls:
            return connection
        secure = self._trust.wrap_socket(connection, server_hostname=host)
        # The greeting waits until the tickets before it are acknowledged, which would take 40 ms (tcp(7)).
        if connection.family != socket.AF_UNIX and (at_once := getattr(socket, "TCP_QUICKACK", None)):
            secure.setsockopt(socket.IPPROTO_TCP, at_once, 1)
        return secure

    def send(self, s: bytes | str) -> None:  # type: ignore[override]  # named as smtplib has it
        """Send, and note it for the transcript."""
        if len(self._said) < TRANSCRIPT:
            self._said.append(masked(s, self._said[-1:]))
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Hear an answer, and note it for the transcript."""
        code, text = super().getreply()
        if len(self._said) < TRANSCRIPT:
            self._said += [f"S: {code} {line}" for line in text.decode("utf-8", "replace").splitlines()]
        return code, text

    def note(self) -> None:
        """Have what was seen here told in the report."""
        shown = self.certificate()
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        seen.note(
            self.endpoint.relay.name,
            f"port {self.endpoint.port}, {self.endpoint.address}",
            {
                "names": ", ".join(names.get_values_for_type(x509.DNSName)),
                "issuer": shown.issuer.rfc4514_string(),
                "expires": shown.not_valid_after_utc.isoformat(),
                "transcript": "\n".join(self._said),
            },
        )

    def say(self, line: str) -> Reply:
        """Send a command and return the answer."""
        return Reply(*self.docmd(line))

    def greet(self) -> list[str]:
        """Say EHLO and return what the relay offers, a line each.

        :raises smtplib.SMTPHeloError: where it refuses to talk
        """
        reply = Reply(*self.ehlo())
        if reply.code != 250:
            raise smtplib.SMTPHeloError(*reply)
        return reply.text.decode("ascii").splitlines()[1:]

    def secure(self) -> list[str]:
        """Begin TLS where it has not begun yet, say EHLO and return what the relay offers then."""
        offers = self.greet()
        if self.endpoint.opens_in_tls:
            return offers
        reply = Reply(*self.starttls(context=self._trust))
        assert reply.code == 220, reply
        return self.greet()

    def certificate(self) -> x509.Certificate:
        """Show the certificate with which the relay proved its name."""
        assert isinstance(self.sock, ssl.SSLSocket)
        shown = self.sock.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown)

    def log_in_by_plain(self, account: Account, acting_for: str = "") -> Reply:
        """Log in by AUTH PLAIN (RFC 4616).

        :param acting_for: authorisation identity: the user to be, if not the one who logs in
        """
        return self.say("AUTH PLAIN " + _base64("\0".join([acting_for, *account])))

    def log_in_by_login(self, account: Account) -> Reply:
        """Log in by AUTH LOGIN, which asks for name and password in turn."""
        asked = self.say("AUTH LOGIN")
        for answer in account:
            if asked.code != 334:
                break
            asked = self.say(_base64(answer))
        return asked

    def envelope(self, sender: str, *recipients: str, options: str = "") -> Reply:
        """Name sender and recipients, and return the last consent, or the first refusal and begin anew.

        :param options: what follows the address in MAIL, with a leading blank
        """
        reply = self.say(f"MAIL FROM:<{sender}>{options}")
        for recipient in recipients:
            if reply.refuses:
                break
            reply = self.say(f"RCPT TO:<{recipient}>")
            if reply.refuses:
                self.say("RSET")  # smtplib's own goes back to ASCII
        return reply

    def submit(self, sender: str, recipients: Sequence[str], message: bytes, options: str = "") -> Reply:
        """Send envelope and message in as few packets as may be (RFC 2920).

        :param message: with the line ends of RFC 5321
        :returns: the answer to the message, or to what of the envelope was refused
        """
        envelope = [f"MAIL FROM:<{sender}>{options}", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
        self.send("".join(f"{line}\r\n" for line in envelope).encode())
        replies = [Reply(*self.getreply()) for _ in envelope]
        if refused := [reply for reply in replies if reply.refuses]:
            assert replies[-1].refuses, f"half an envelope was taken: {replies}"
            return refused[0]
        self.send(re.sub(rb"^\.", b"..", message, flags=re.MULTILINE) + b".\r\n")
        return Reply(*self.getreply())

    def hand_in(self, message: bytes) -> Reply:
        """Send a message after its envelope, lines ended and dots doubled as RFC 5321 wants it."""
        return Reply(*self.data(message))


def trusted(relay: Relay, ca: Path | None) -> str:
    """Give the CAs that a relay's users trust beside those that everybody trusts, in PEM.

    :param ca: file that whoever runs this names
    """
    certificate = relay.settings.certificate
    named = None if isinstance(certificate, OwnCa) else certificate.ca
    texts = [Path(file).expanduser().read_text() for file in (named, ca) if file]
    if isinstance(certificate, OwnCa):
        texts.append(relay.remote.run(f"cat {OWN_CA}"))
    return "\n".join(texts)


class MailProgram:
    """Somebody's mail program: opens conversations, and knows which certificates to trust."""

    def __init__(self, client_host: ClientHost, ca: Path | None = None, *, gives_up: bool = False) -> None:
        """Stand at a place.

        :param ca: file with CAs that are trusted beside those that everybody trusts
        :param gives_up: whether an endpoint that was silent once is not tried again
        """
        self.client_host = client_host
        self._ca = ca
        self._gives_up = gives_up
        self._silent: set[Endpoint] = set()
        self._trust: dict[Relay, ssl.SSLContext] = {}

    def trust(self, relay: Relay) -> ssl.SSLContext:
        """Trust the relay's own CA if it has one, as users are told to, and else what everybody trusts.

        Beside that, what the inventory or whoever runs this says that users trust.
        """
        if relay not in self._trust:
            own = trusted(relay, self._ca)
            has_own = isinstance(relay.settings.certificate, OwnCa)
            self._trust[relay] = trust = ssl.create_default_context(cadata=own if has_own else None)
            if own and not has_own:
                trust.load_verify_locations(cadata=own)
        return self._trust[relay]

    def forget(self, relay: Relay) -> None:
        """Forget whom to trust for a relay that was made anew."""
        self._trust.pop(relay, None)

    @contextmanager
    def patience(self, endpoint: Endpoint) -> Iterator[None]:
        """Note that an endpoint is silent, if it is.

        :raises TimeoutError: where it is, or was before
        """
        if endpoint in self._silent:
            raise TimeoutError("timed out before")
        try:
            yield
        except TimeoutError:
            if self._gives_up:
                self._silent.add(endpoint)
            raise

    def open(self, endpoint: Endpoint, helo: str = HELO) -> Conversation:
        """Connect and read the greeting."""
        with self.patience(endpoint):
            return Conversation(endpoint, self.client_host, self.trust(endpoint.relay), helo)

    def open_secure(self, endpoint: Endpoint, helo: str = HELO) -> Conversation:
        """Connect, begin TLS and say EHLO."""
        conversation = self.open(endpoint, helo)
        conversation.secure()
        return conversation

    def log_in(self, endpoint: Endpoint, account: Account, helo: str = HELO) -> Conversation:
        """Connect, begin TLS, say EHLO and log in."""
        conversation = self.open_secure(endpoint, helo)
        reply = conversation.log_in_by_plain(account)
        assert reply.code == 235, f"{account.login} on {endpoint}: {reply}"
        return conversation


def masked(sent: bytes | str, before: Sequence[str]) -> str:
    """Write what is sent, but what answers a question of AUTH's, and what comes with the command.

    :param before: the line before, if there is one
    """
    text = sent if isinstance(sent, str) else sent.decode("utf-8", "replace")
    if before and before[0].startswith("S: 334"):
        return "C: ***"
    words = text.split()
    if len(words) > 2 and words[0].upper() == "AUTH":
        return f"C: {words[0]} {words[1]} ***"
    return "\n".join(f"C: {line}" for line in text.splitlines())


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
