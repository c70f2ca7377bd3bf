"""Postfix: its services, and who may send through them."""

from pyinfra import host

from tasks import settings
from tasks.host.step import step
from tasks.postfix.configuration import Configuration, Service
from tasks.senders import part as ownership
from tasks.settings import Settings

# smtpd leaves Debian's chroot: saslauthd's socket lies outside it (SASL_README).
SMTPD = Service("smtpd")

# The services for users. What the admin restricts for strangers on port 25 must not hit those who log in.
USERS_ONLY = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_helo_restrictions": "",
    "smtpd_sender_restrictions": "",
    "smtpd_recipient_restrictions": "",
}

# Those who log in send as themselves. Where there is no login yet, or none is offered, Postfix would warn of
# the restriction; on 25 check_sasl_access keeps it from being met then (postconf(5)).
OWNERS_ONLY = f"reject_sender_login_mismatch,{USERS_ONLY['smtpd_relay_restrictions']}"
OWNERS_ON_25 = "check_sasl_access static:{reject_sender_login_mismatch}, "
RELAYING = "permit_sasl_authenticated, reject_unauth_destination"


@step("Postfix")
def configure() -> Configuration:
    """Say what Postfix serves, to whom. It is written to the host at the end, all at once."""
    return configuration(settings.of(host))


def configuration(relay: Settings) -> Configuration:
    """Say what Postfix serves, to whom (postconf(5), master(5), RFC 8314)."""
    owned = ownership.is_asked_for(relay)
    users_only = USERS_ONLY | ({"smtpd_relay_restrictions": OWNERS_ONLY} if owned else {})
    return Configuration(
        parameters={
            "myhostname": relay.hostname,
            # Without $mail_name: it tells strangers nothing they need, and is a mark elsewhere (privacy.py).
            "smtpd_banner": "$myhostname ESMTP",
            "inet_interfaces": "all",
            "inet_protocols": "all",
            "disable_vrfy_command": "yes",
            # No permit_mynetworks: an address is no proof of who somebody is.
            "smtpd_relay_restrictions": f"{OWNERS_ON_25 if owned else ''}{RELAYING}",
            # SMTP smuggling: only <CR><LF>.<CR><LF> ends a message (RFC 5321 2.3.8), for everyone.
            "smtpd_forbid_bare_newline": "yes",
            "smtpd_forbid_bare_newline_exclusions": "",
            "smtpd_forbid_unauth_pipelining": "yes",
        },
        where_known=frozenset(
            {
                "smtpd_forbid_bare_newline",
                "smtpd_forbid_bare_newline_exclusions",
                "smtpd_forbid_unauth_pipelining",
            }
        ),
        services={
            "smtp/inet": SMTPD,
            "submission/inet": SMTPD,
            "submissions/inet": SMTPD,
            # Other names of the same ports would fail to bind.
            "smtps/inet": None,
            "465/inet": None,
            "587/inet": None,
        },
        options={
            "submission/inet": {**users_only, "syslog_name": "postfix/submission"},
            "submissions/inet": {**users_only, "syslog_name": "postfix/submissions"},
        },
    )
