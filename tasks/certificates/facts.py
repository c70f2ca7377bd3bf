"""What a host says of the certificate that it keeps valid itself."""

from collections.abc import Iterable
from typing import TypedDict

from pyinfra.api import FactBase, QuoteString, StringCommand
from typing_extensions import override


class RenewalSays(TypedDict):
    """What is due on a host, and what keeps it from being done."""

    due: list[str]
    """Why a certificate has to be obtained."""
    unfit: list[str]
    """What is wrong with what there is to take: ``key ...`` or ``certificate ...``."""
    failed: list[str]
    """What kept the last try from success."""


class Renewal(FactBase[RenewalSays]):
    """Have a host judge its certificate, by its own clock (onhost/renewal.sh)."""

    @override
    def command(self, script: str) -> StringCommand:
        return StringCommand("bash -c", QuoteString(script), "renewal.sh look")

    @override
    @staticmethod
    def default() -> RenewalSays:
        return {"due": [], "unfit": [], "failed": []}

    @override
    def process(self, output: Iterable[str]) -> RenewalSays:
        pairs = [line.partition(": ")[::2] for line in output]
        return {
            "due": [words for kind, words in pairs if kind == "due"],
            "unfit": [words for kind, words in pairs if kind == "unfit"],
            "failed": [words for kind, words in pairs if kind == "failed"],
        }
