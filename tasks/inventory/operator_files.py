"""Files on the operator's machine that settings name."""

from pathlib import Path

from pydantic import SecretStr

from tasks.inventory.errors import DeployError


class OperatorFileError(DeployError):
    """A file that a setting names and that cannot be used: setting, what is wrong, remedy."""

    def __init__(self, setting: str, about: str) -> None:
        """Say what is wrong and what to do.

        :param setting: as ``certificate.key``
        """
        super().__init__(f"{setting}: {about}")


def read(setting: str, path: str) -> str:
    """Read a text file that a setting names.

    :raises OperatorFileError: when it is missing, unreadable or not text
    """
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise OperatorFileError(
            setting, f"{path} is not a text file; give one in PEM or plain text"
        ) from None
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise OperatorFileError(
            setting, f"{path} cannot be read ({reason}); correct the path or its rights"
        ) from None


def read_secret(setting: str, path: str | None) -> SecretStr:
    """Read a file that holds one line, a secret; without a file there is none.

    :raises OperatorFileError: when it is missing, unreadable or holds something else
    """
    if path is None:
        return SecretStr("")
    secret = read(setting, path).rstrip("\r\n")
    if not secret or "\n" in secret or secret != secret.strip():
        raise OperatorFileError(
            setting, f"{path} must hold one line, the password, which begins and ends with no blank"
        )
    return SecretStr(secret)
