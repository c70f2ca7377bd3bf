"""The CA that a server's certificate is checked against, where the inventory names a file with one."""

from pyinfra.operations import files

from tasks import pem
from tasks.operator_files import complaint, read

DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"


def check(path: str | None) -> None:
    """Refuse a file without a CA.

    :raises SettingsError: naming the file and the remedy
    """
    if path:
        try:
            pem.chain(read("login.ca_file", path))
        except ValueError as error:
            raise complaint("login.ca_file", f"{path} {error}") from None


def put(path: str | None, destination: str, whose: str) -> str:
    """Put the CA where it is read, and tell the path of that, or of the CAs that everybody trusts.

    :param destination: path on the host
    :param whose: for the operation's name
    """
    if not path:
        return DEBIAN_CAS
    files.put(
        name=f"Put the {whose}'s CA in {destination}",
        src=path,
        dest=destination,
        user="root",
        group="root",
        mode="644",
    )
    return destination
