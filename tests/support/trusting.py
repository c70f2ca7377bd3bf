"""A mail program that trusts the lab's authority."""

import ssl
from pathlib import Path

from tests.support.bed import Relay, TestBed
from tests.support.smtp import MailProgram


class Trusting(MailProgram):
    """Somebody's mail program that trusts the authority of the certificates."""

    def __init__(self, test_bed: TestBed, ca: Path | None = None) -> None:
        """Stand where all mail programs do.

        :param ca: file with other authorities
        """
        super().__init__(test_bed.client_host)
        self._context = ssl.create_default_context(cafile=ca or test_bed.keeper.CA_CERTIFICATE)

    def trust(self, relay: Relay) -> ssl.SSLContext:
        """Trust that one alone."""
        return self._context
