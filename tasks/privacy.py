"""Privacy: what users send carries one trace header, and that tells nothing about them.

Mail on 465 and 587 goes through a cleanup service of its own, whose header_checks rewrite our trace header
and drop those that came with the mail. On port 25 users and strangers meet in one cleanup service, which must
leave the strangers' mail alone; there a FILTER action, given to those who logged in, sends their mail through
a second smtpd on loopback that has that same cleanup service behind it.
"""

from hashlib import sha256

from pyinfra import host

from tasks import settings, templates
from tasks.configuration import Configuration, Service
from tasks.facts.host import Ground
from tasks.settings import Settings
from tasks.step import step

TRACE_HEADER = "/etc/postfix/trace_header.pcre"
CLEANUP = "cleanup-submission"
LOOPBACK = "127.0.0.1:10587"


@step("Privacy")
def configure() -> Configuration:
    """Write the rules for the trace header, and say which mail goes through them."""
    relay = settings.of(host)
    mark = mark_for(host.get_fact(Ground)["machine_id"])
    templates.put("postfix/trace_header.pcre", TRACE_HEADER, hostname=relay.hostname, mark=mark)
    return configuration(relay, mark)


def mark_for(machine_id: str) -> str:
    """Derive what our own trace header says instead of "Postfix" until it is rewritten.

    Nobody who is not on the host may guess it, or a client could write a trace header that passes for ours;
    machine-id(5) is confidential, stays the same, and is not shown by a hash of it.
    """
    return "mark-" + sha256(f"quietrelay trace header {machine_id}".encode()).hexdigest()[:32]


def configuration(relay: Settings, mark: str) -> Configuration:
    """Say which mail goes through the trace header's rules (header_checks(5), access(5))."""
    rewritten = {
        "cleanup_service_name": CLEANUP,
        "mail_name": mark,
        # Postfix 3.10 writes no client into its trace header then, whatever becomes of the rules.
        "smtpd_hide_client_session": "yes",
    }
    return Configuration(
        parameters={
            # A parameter of our own, for postconf(1) puts no blanks into master.cf. It leaves
            # smtpd_data_restrictions in main.cf to the admin.
            "quietrelay_user_mail": "check_sasl_access static:{FILTER anonymize:[127.0.0.1]:10587}",
        },
        services={
            f"{CLEANUP}/unix": Service("cleanup", process_limit="0"),
            "anonymize/unix": Service("smtp", private="-"),
            f"{LOOPBACK}/inet": Service("smtpd"),
        },
        options={
            "submission/inet": rewritten,
            "submissions/inet": rewritten,
            "smtp/inet": {"smtpd_data_restrictions": "$quietrelay_user_mail"},
            f"{CLEANUP}/unix": {
                "header_checks": f"pcre:{TRACE_HEADER}",
                # Attached and forwarded messages keep their own headers, and their signatures.
                "mime_header_checks": "",
                "nested_header_checks": "",
                "body_checks": "",
            },
            "anonymize/unix": {
                "smtp_tls_security_level": "none",
                "smtp_sasl_auth_enable": "no",
                "smtp_bind_address": "",
                "smtp_header_checks": "",
            },
            f"{LOOPBACK}/inet": {
                **rewritten,
                "syslog_name": "postfix/anonymize",
                "mynetworks": "127.0.0.1/32",
                "smtpd_tls_security_level": "none",
                "smtpd_sasl_auth_enable": "no",
                "smtpd_client_restrictions": "permit_mynetworks,reject",
                "smtpd_relay_restrictions": "permit_mynetworks,reject",
                "smtpd_helo_restrictions": "",
                "smtpd_sender_restrictions": "",
                "smtpd_recipient_restrictions": "",
                "smtpd_data_restrictions": "",
                "smtpd_milters": "",
                # Addresses were rewritten when the mail came in, and its size was checked.
                "receive_override_options": "no_address_mappings,no_unknown_recipient_checks",
                "message_size_limit": "0",
            },
        },
        where_known=frozenset({"smtpd_hide_client_session"}),
    )
