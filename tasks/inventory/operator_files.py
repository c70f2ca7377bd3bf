"""Files on the operator's machine that settings name."""

from pathlib import Path

from pydantic import SecretStr
from pyinfra import host

from tasks.inventory.source import inventory_file
from tasks.login import accounts
from tasks.settings import SettingsError


def complaint(setting: str, about: str) -> SettingsError:
    """Make the error for a setting of the present host: file, host, setting, what is wrong and the remedy."""
    return SettingsError(f"{inventory_file()} ({host.name}): {setting}: {about}")


def read(setting: str, path: str) -> str:
    """Read a text file that a setting names.

    :raises SettingsError: when it is missing, unreadable or not text
    """
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise complaint(setting, f"{path} is not a text file; give one in PEM or plain text") from None
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise complaint(
            setting, f"{path} cannot be read ({reason}); correct the path or its rights"
        ) from None


def read_secret(setting: str, path: str) -> SecretStr:
    """Read a file that holds one line, a secret.

    :raises SettingsError: when it is missing, unreadable or holds something else
    """
    secret = read(setting, path).rstrip("\r\n")
    if not secret or "\n" in secret or secret != secret.strip():
        raise complaint(
            setting, f"{path} must hold one line, the password, which begins and ends with no blank"
        )
    return SecretStr(secret)


def read_accounts(setting: str, path: str) -> dict[str, str]:
    """Read a file of accounts: name to password, or to a hash of it.

    :raises SettingsError: when it is missing, unreadable or holds something else; passwords are not told
    """
    try:
        return accounts.parse(read(setting, path))
    except ValueError as error:
        raise complaint(setting, f"{path}: {error}") from None
