"""A server of somebody else's that the relay asks. Pure; no host."""

from typing import NamedTuple


class Server(NamedTuple):
    """A server as the relay reaches it."""

    url: str
    host: str
    port: int
    ca_file: str
    """CAs on the relay that its certificate is checked against."""
    start_tls: str = ""
    """Protocol in which TLS is asked for (openssl-s_client(1), -starttls); none has it from the start."""
    plain: bool = False
    """Whether it has no TLS, as may be on the host itself."""
    socket: str = ""
    """Unix socket on which it listens, and on no port."""
    section: str = "login"
    """Section of the settings that names it; of the servers of one, any will do."""

    @property
    def answers(self) -> str:
        """Name the first of its checks."""
        return f"{self.url} answers"

    @property
    def proves(self) -> str:
        """Name the last of its checks."""
        vouched = f"{self.url} has a certificate for its name that {self.ca_file} vouches for"
        return self.answers if self.plain else vouched
