"""saslauthd asks the host's PAM."""

from collections.abc import Iterator, Sequence
from shlex import quote

from tasks.activation.leftovers import Remains
from tasks.host import templates
from tasks.login.saslauthd import checks as saslauthd_layers
from tasks.login.saslauthd import daemon as saslauthd
from tasks.login.sections import SaslauthdPam
from tasks.part.check import Account, Layer, exits_well

SERVICE = "/etc/pam.d/smtp"  # named for the service that Postfix says it is

PACKAGES = saslauthd.PACKAGES
ASKED = saslauthd.ASKED
LEAVES = Remains(signed=[SERVICE])  # one that somebody else put there serves somebody else


def check(login: SaslauthdPam) -> None:
    """Find nothing to refuse: the modules are the host's affair."""


def mechanisms(login: SaslauthdPam) -> Sequence[str]:
    """Name what saslauthd can check."""
    return saslauthd.MECHANISMS


def configure(login: SaslauthdPam) -> None:
    """Write the PAM service, which is read at every login, and have saslauthd ask it."""
    templates.put("saslauthd/pam", SERVICE, login=login)
    told = {"mechanism": "pam", "workers": login.workers, "cache": login.cache_seconds}
    saslauthd.run(told, unprivileged=False)


def layers(login: SaslauthdPam, account: Account | None) -> Iterator[Layer]:
    """Walk from the PAM service and the account to saslauthd's answer."""
    service = f"{SERVICE} says how PAM judges"
    rests_on = [service]
    yield Layer(service, f"grep '^auth' {SERVICE}", exits_well("deploy"))
    if account and any("pam_unix" in line for line in login.auth):
        known = f"{account.login} is an account of the host"
        script = f"getent passwd {quote(account.login)} || {{ echo there is none; false; }}"
        yield Layer(known, script, exits_well("make it, with adduser(8)"))
        rests_on.append(known)
    yield from saslauthd_layers.layers(account, rests_on)
