"""The operator's file of accounts, as a setting names it."""

from tasks.inventory.operator_files import OperatorFileError, read
from tasks.login import accounts

SETTING = "login.accounts_file"


def read_accounts(path: str) -> dict[str, str]:
    """Read a file of accounts: name to password, or to a hash of it.

    :raises OperatorFileError: when it is missing, unreadable or holds something else; passwords are not told
    """
    try:
        return accounts.parse(read(SETTING, path))
    except ValueError as error:
        raise OperatorFileError(SETTING, f"{path}: {error}") from None
