"""saslauthd asks the host's PAM."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from tasks.host.templates import render
from tasks.login.realm import Realm
from tasks.login.saslauthd import checks as saslauthd_checks
from tasks.login.saslauthd import daemon
from tasks.login.sections import SaslauthdPam
from tasks.part import Account, Check, File, Part, merge
from tasks.part.check import exits_well

SERVICE = "/etc/pam.d/smtp"  # named for the service that Postfix says it is


def part(login: SaslauthdPam, realm: Realm) -> Part:
    """Write the PAM service, which is read at every login, and have saslauthd ask it."""
    told = {"mechanism": "pam", "workers": login.workers, "cache": login.cache_seconds}
    own = Part(
        files={SERVICE: File(partial(render, "login/saslauthd/pam", login=login))},
        checks=(partial(checks, login),),
    )
    return merge(own, daemon.part(told, unprivileged=False))


def checks(login: SaslauthdPam, account: Account | None) -> Iterator[Check]:
    """Walk from the PAM service and the account to saslauthd's answer."""
    service = f"{SERVICE} says how PAM judges"
    needs = [service]
    yield Check(service, f"grep '^auth' {SERVICE}", exits_well("deploy"))
    if account and any("pam_unix" in line for line in login.auth):
        known = f"{account.login} is an account of the host"
        script = f"getent passwd {quote(account.login)} || {{ echo there is none; false; }}"
        yield Check(known, script, exits_well("make it, with adduser(8)"))
        needs.append(known)
    yield from saslauthd_checks.checks(account, needs)
