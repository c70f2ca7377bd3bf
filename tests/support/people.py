"""People whom the directory knows for the while of a test, and what befalls them."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from lab.roles.directory import SECOND_LDAPI, person, ssha
from lab.topology import SERVICE_DN, User
from tests.support.bed import Account
from tests.support.remote import Remote

LEAVER = User("leaver", "right at first", "somebody who leaves")
CHANGED = "right afterwards"
SERVERS = ("ldapi:///", SECOND_LDAPI)  # have the same content, and a relay may ask either


# For good, and no longer (slapo-ppolicy(5)).
LOCK = "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z"
UNLOCK = "delete: pwdAccountLockedTime"


def at_each(command: str) -> str:
    """Write the script that runs a command as the directory's root, at each `$server`."""
    return f"for server in {' '.join(SERVERS)}; do {command} || exit; done"


class Entry:
    """An entry of the directory."""

    def __init__(self, directory: Remote, dn: str) -> None:
        """Know where it is."""
        self._directory, self._dn = directory, dn

    def modify(self, change: str) -> None:
        """Change an attribute, as ldapmodify(1) has it."""
        self.ldap("modify", f"dn: {self._dn}\nchangetype: modify\n{change}\n")

    def ldap(self, command: str, ldif: str) -> None:
        """Hand LDIF to ldapadd(1) or ldapmodify(1)."""
        encoded = b64encode(ldif.encode()).decode()
        self._directory.run(at_each(f"echo {encoded} | base64 -d | ldap{command} -Q -Y EXTERNAL -H $server"))


class Person:
    """Somebody in the directory."""

    def __init__(self, directory: Remote, user: User) -> None:
        """Know who it is."""
        self._directory, self._user = directory, user
        self._entry = Entry(directory, user.dn)
        self.account = Account(user.uid, user.password)
        self.changed = Account(user.uid, CHANGED)

    def add(self) -> None:
        """Enter the person."""
        self._entry.ldap("add", person(self._user))

    def change_password(self) -> None:
        """Give the person the password of `changed`."""
        self._entry.modify(f"replace: userPassword\nuserPassword: {ssha(CHANGED, b'salt')}")

    def lock(self) -> None:
        """Lock the account."""
        self._entry.modify(LOCK)

    def unlock(self) -> None:
        """Undo that."""
        self._entry.modify(UNLOCK)

    def remove(self) -> None:
        """Remove the person, if that has not happened yet."""
        delete = f"ldapdelete -Q -Y EXTERNAL -H $server {self._user.dn} 2>&1"
        self._directory.run(at_each(f"{delete} || test $? = 32"))  # which says: there is no such entry


@contextmanager
def known_to(directory: Remote, user: User) -> Iterator[Person]:
    """Enter somebody, and remove them at the end."""
    somebody = Person(directory, user)
    somebody.add()
    try:
        yield somebody
    finally:
        somebody.remove()


@contextmanager
def service_locked(directory: Remote) -> Iterator[None]:
    """Lock the entry that the relays search as, and unlock it at the end."""
    entry = Entry(directory, SERVICE_DN)
    entry.modify(LOCK)
    try:
        yield
    finally:
        entry.modify(UNLOCK)
