"""smtpd: on which ports Postfix serves, and what it takes from whom."""

from collections.abc import Iterator
from functools import partial

from tasks.host.facts.host import HostSays
from tasks.part import Ask, Part
from tasks.postfix import obstacles
from tasks.postfix.configuration import Configuration, Service
from tasks.postfix.facts import PostfixSays
from tasks.smtpd.section import Relay

# smtpd leaves Debian's chroot: what it asks about passwords lies outside it (SASL_README).
SMTPD = Service("smtpd")

# The services for users. What the admin restricts for strangers on port 25 must not hit those who log in.
USERS_ONLY = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_helo_restrictions": "",
    "smtpd_sender_restrictions": "",
    "smtpd_recipient_restrictions": "",
}

# What of the admin's the services for users inherit: limits, policies, milters, logging. Anything else of
# smtpd's might keep users out, as smtpd_delay_reject, or hang up on them, as smtpd_upstream_proxy_protocol.
INHERITED = (
    r"(?!smtpd_).*|smtpd_(?!sasl_)(.*_(limit|limit_exceptions|rate|time|timeout|deadline|length|threshold|restrictions|classes)"
    r"|timeout|banner|(milter|log|policy_service|reject)_?.*|client_port_logging|tls_(?!(wrappermode|req_ccert)$).*)"
)

# TLS 1.0 as devices have it, which OpenSSL does at its lowest level alone (SSL_CTX_set_security_level(3)).
INSECURE_TLS = {
    "smtpd_tls_mandatory_protocols": ">=TLSv1",
    "smtpd_tls_mandatory_ciphers": "medium",
    "tls_medium_cipherlist": "aNULL:-aNULL:HIGH:MEDIUM:@STRENGTH:@SECLEVEL=0",
}


def part(relay: Relay, hostname: str, found: HostSays, insecure_tls_port: int | None) -> Part:
    """Have Postfix installed, and listen on 25, 465 and 587 (RFC 8314).

    :param hostname: the relay's fully qualified name
    :param found: what the host is like
    :param insecure_tls_port: a further one for old devices, if there is to be one
    """
    postfix = configuration(hostname, relay.address_families, insecure_tls_port)
    return Part(
        packages=("postfix", "telnet-ssl", "iproute2"),  # ss(8) tells who listens
        packages_gone=tuple(found["mail_servers"]),
        answers={
            "postfix": {
                "postfix/main_mailer_type": ("select", "Internet Site"),
                "postfix/mailname": ("string", hostname),
            }
        },
        postfix=postfix,
        ports=(25, 465, 587, *([insecure_tls_port] if insecure_tls_port else [])),
        complaints={"ports": partial(complain, relay, found), "services": partial(_rivals, postfix)},
        probes=("postfix_runs",),
    )


def _rivals(wanted: Configuration, ask: Ask) -> Iterator[str]:
    if found := ask(PostfixSays):
        yield from obstacles.rivals(found, wanted.services)


def complain(relay: Relay, found: HostSays, _ask: Ask | None = None) -> Iterator[str]:
    """Say who is in Postfix's place, and what to do."""
    if found["mail_servers"] and not relay.replace_mail_server:
        yield (
            f"another mail server is installed ({', '.join(found['mail_servers'])}); "
            "remove it, or allow that with Relay(replace_mail_server=True)"
        )
    going = found["mail_servers"]
    if strangers := [name for name, package in found["listeners"].items() if package not in going]:
        yield f"{', '.join(strangers)} listens on 25, 465 or 587; stop it, and keep it from starting"


def configuration(
    hostname: str, families: str = "all", insecure_tls_port: int | None = None
) -> Configuration:
    """Say what Postfix serves, to whom (postconf(5), master(5))."""
    old = f"{insecure_tls_port}/inet"
    users = ["submission/inet", "submissions/inet", *([old] if insecure_tls_port else [])]
    return Configuration(
        parameters={
            "myhostname": hostname,
            # Without $mail_name: it tells strangers nothing they need, and is a mark in users' trace header.
            "smtpd_banner": "$myhostname ESMTP",
            "inet_interfaces": "all",
            "inet_protocols": families,
            "disable_vrfy_command": "yes",
        },
        services={
            "smtp/inet": Service("smtpd", shipped=True),
            "submission/inet": SMTPD,
            "submissions/inet": SMTPD,
            # Other names of the same ports would fail to bind.
            "smtps/inet": None,
            "465/inet": None,
            "587/inet": None,
            **({old: SMTPD} if insecure_tls_port else {}),
        },
        options={
            "submission/inet": {**USERS_ONLY, "syslog_name": "postfix/submission"},
            "submissions/inet": {**USERS_ONLY, "syslog_name": "postfix/submissions"},
            **({old: {**INSECURE_TLS, "syslog_name": "postfix/insecure"}} if insecure_tls_port else {}),
        },
        likes={old: "submission/inet"} if insecure_tls_port else {},
        inherits=dict.fromkeys(users, INHERITED),
    )
