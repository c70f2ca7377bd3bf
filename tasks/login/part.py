"""Login: how users prove who they are, by the backend that the inventory names, and on which ports."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tasks.inventory.section import Section
from tasks.login import port_checks, refused
from tasks.login.dovecot import ldap as dovecot_ldap
from tasks.login.dovecot import passwd_file
from tasks.login.realm import Realm
from tasks.login.saslauthd import ldap, pam, rimap
from tasks.login.sasldb import backend as sasldb
from tasks.login.sections import (
    DovecotLdap,
    DovecotPasswdFile,
    Login,
    SaslauthdLdap,
    SaslauthdPam,
    SaslauthdRimap,
    Sasldb,
    Submission,
)
from tasks.part import Account, Check, Part, merge
from tasks.postfix.configuration import Configuration

BACKENDS: Mapping[type[Section], Callable[[Any, Realm], Part]] = {
    SaslauthdLdap: ldap.part,
    SaslauthdPam: pam.part,
    SaslauthdRimap: rimap.part,
    Sasldb: sasldb.part,
    DovecotPasswdFile: passwd_file.part,
    DovecotLdap: dovecot_ldap.part,
}

# Port 25 is the admin's but for what keeps users from logging in there.
INHERITED_ON_25 = (
    r"(?!smtpd_(upstream_proxy_protocol|(forbidden|noop)_commands|discard_ehlo_keywords|discard_ehlo_keyword_address_maps"
    r"|sasl_exceptions_networks|tls_wrappermode|tls_req_ccert)$).*"
)


def part(login: Login, submission: Submission, hostname: str) -> Part:
    """Have passwords checked by the backend that the inventory names, and Postfix ask there (SASL_README).

    :param hostname: the relay's fully qualified name
    """
    backend = BACKENDS[type(login)](login, Realm(hostname, submission.local_domain))
    checks = partial(_checks, backend, submission.auth_on_25)
    asking = _asking(backend.mechanisms, submission)
    serves = _serves(backend.mechanisms, refused.name(login), submission.auth_on_25)
    return merge(replace(backend, checks=(checks,)), asking, Part(probes=serves))


def _checks(backend: Part, auth_on_25: bool, account: Account | None) -> Iterator[Check]:
    """Walk from what checks passwords up to the ports, which need its last check."""
    walked = [check for checks in backend.checks for check in checks(account)]
    yield from walked
    yield from port_checks.checks(account, auth_on_25, needs=walked[-1].name)


def _asking(mechanisms: tuple[str, ...], submission: Submission) -> Part:
    return Part(
        # Both are Debian's, and only a member may have passwords checked.
        groups={"postfix": ("sasl",)},
        postfix=Configuration(
            parameters={
                "smtpd_sasl_auth_enable": "yes",
                "smtpd_sasl_security_options": "noanonymous",
                "smtpd_sasl_local_domain": submission.local_domain,
                "broken_sasl_auth_clients": "yes" if submission.broken_sasl_auth_clients else "no",
                # A login in the trace header would travel with the mail.
                "smtpd_sasl_authenticated_header": "no",
            },
            options={"smtp/inet": {"smtpd_sasl_auth_enable": None if submission.auth_on_25 else "no"}},
            inherits={"smtp/inet": INHERITED_ON_25} if submission.auth_on_25 else {},
        ),
    )


def _serves(mechanisms: tuple[str, ...], name: str, auth_on_25: bool) -> tuple[str, ...]:
    """See that each port shows its certificate, offers these mechanisms over TLS, and lets nobody in by them.

    :param name: of nobody
    """
    offered, login = " ".join(sorted(mechanisms)), refused.lines(mechanisms, name)
    on_25 = [offered, "smtpd", *login] if auth_on_25 else ["", "smtpd"]
    probes = (
        ["25", "-starttls smtp", *on_25],
        ["465", "", offered, "submissions/smtpd", *login],
        ["587", "-starttls smtp", offered, "submission/smtpd", *login],
    )
    return tuple(shlex.join(["serves", *words]) for words in probes)
