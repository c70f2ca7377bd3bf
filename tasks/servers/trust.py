"""The CA that a server's certificate is checked against, where the inventory names a file with one."""

from tasks.certificates import pem
from tasks.host import copies
from tasks.inventory.operator_files import complaint, read

DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"


def check(setting: str, given: str | None) -> None:
    """Refuse a file without a CA.

    :raises SettingsError: naming the file and the remedy
    """
    if given:
        try:
            pem.chain(read(setting, given))
        except ValueError as error:
            raise complaint(setting, f"{given} {error}") from None


def path(given: str | None, destination: str) -> str:
    """Tell where the CA is on the host: at its destination, or with those that everybody trusts."""
    return destination if given else DEBIAN_CAS


def put(given: str | None, destination: str, whose: str) -> str:
    """Put the CA where it is read, if one is given, and tell the path to read.

    :param given: file of the operator's
    :param destination: path on the host
    :param whose: for the operation's name
    """
    if given:
        copies.put(f"the {whose}'s CA", given, destination)
    return path(given, destination)
