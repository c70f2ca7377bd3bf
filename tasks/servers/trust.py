"""The CA that a server's certificate is checked against, where the inventory names a file with one."""

from functools import partial

from tasks.host import pem
from tasks.inventory.operator_files import OperatorFileError, read
from tasks.part import File

DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"


def path(given: str | None, destination: str) -> str:
    """Tell where the CA is on the host: at its destination, or with those that everybody trusts."""
    return destination if given else DEBIAN_CAS


def files(setting: str, given: str | None, destination: str, whose: str) -> dict[str, File]:
    """Put the CA where it is read, if one is given.

    :param setting: that names it
    :param given: file of the operator's
    :param destination: path on the host
    :param whose: for the plan
    """
    if not given:
        return {}
    return {destination: File(partial(_ca, setting, given), title=f"Put the {whose}'s CA in {destination}")}


def _ca(setting: str, given: str) -> str:
    text = read(setting, given)
    try:
        return pem.written(pem.chain(text))
    except ValueError as error:
        raise OperatorFileError(setting, f"{given} {error}") from None
