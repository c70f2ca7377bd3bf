"""The program that keeps a host's certificate valid, run on this machine."""

import os
import subprocess
from pathlib import Path

from cryptography import x509

from tasks.certificates import renewal
from tasks.certificates.facts import Renewal, RenewalSays
from tasks.host import pem


class Host:
    """What a host's program works on, in a directory of this machine; its clock may be another."""

    def __init__(
        self, directory: Path, source: str, names: list[str], path: str = os.environ["PATH"], **settings: str
    ) -> None:
        """Choose the source of certificates.

        :param directory: where ``relay.pem`` is to be, and ``kept``, what the host would go back to
        """
        self._path = path
        self.target = directory / "relay.pem"
        self.kept = directory / "kept"
        self._script = renewal.script(
            [f"{source}.sh"], str(self.target), names, KEPT=str(self.kept), PATIENCE="0", **settings
        )

    def look(self) -> RenewalSays:
        """Ask as pyinfra does."""
        return Renewal().process(self._run("look").stdout.splitlines())

    def renew(self) -> "subprocess.CompletedProcess[str]":
        """Renew as the host does by itself."""
        return self._run("renew")

    def _run(self, word: str) -> "subprocess.CompletedProcess[str]":
        command = ["bash", "-c", self._script, "renewal.sh", word]
        environment = {"PATH": self._path, "TMPDIR": str(self.target.parent.parent)}
        return subprocess.run(command, env=environment, umask=0, capture_output=True, text=True, check=False)

    @property
    def shown(self) -> list[x509.Certificate]:
        """The chain that Postfix would show."""
        return pem.chain(self.target.read_text())
