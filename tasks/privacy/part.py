"""Privacy: what users send carries one trace header and tells nothing about them, and nothing else changes.

Mail on 465 and 587 goes through a cleanup service of its own, whose header_checks rewrite our trace header
and drop those that came with the mail. On port 25 users and strangers meet in one cleanup service, which must
leave the strangers' mail alone; there a FILTER action, given to those who logged in, sends their mail through
a second smtpd on loopback that has that same cleanup service behind it.
"""

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any

from tasks.host.templates import program, render
from tasks.part import Ask, Daemon, Directory, File, Part, Rights, merge
from tasks.postfix import obstacles
from tasks.postfix.configuration import Configuration, Service
from tasks.postfix.facts import PostfixSays
from tasks.privacy import fleet, ids
from tasks.privacy import rules as privacy_rules
from tasks.privacy.section import Privacy

RULES = "/etc/postfix/privacy.pcre"
CHECKS = f"pcre:{RULES},$quietrelay_judged,$quietrelay_guard"
UNIT = "/etc/systemd/system/quietrelay-headers.service"
PROGRAM = "/usr/local/lib/quietrelay/headers.py"
SETTINGS = "/usr/local/lib/quietrelay/headers.json"
SOCKET = "/run/quietrelay-headers/socket"
JUDGE = f"socketmap:unix:{SOCKET}:headers"
MADE = (Rights("/run/quietrelay-headers", "postfix", "710"), Rights(SOCKET, "postfix", "666"))
CLEANUP = "cleanup-submission"
LOOPBACK = "127.0.0.1:10587"


def part(privacy: Privacy, hostname: str, machine_id: str, auth_on_25: bool) -> Part:
    """Write the rules for users' headers, and say which mail goes through them.

    :param hostname: the relay's fully qualified name
    :param machine_id: the host's, as in machine-id(5)
    :param auth_on_25: whether port 25 has users' mail too
    """
    mark = mark_for(machine_id)
    own = Part(
        packages=("postfix-pcre", "python3"),
        directories={"/usr/local/lib/quietrelay": Directory()},
        files={
            RULES: File(partial(_rules, privacy, hostname, mark)),
            PROGRAM: File(partial(program, "headers.py")),
            SETTINGS: File(
                partial(
                    ids.settings,
                    privacy.name_in_ids(hostname),
                    privacy.private_domains,
                    privacy.ids_known_days,
                    bool(privacy.fleet),
                )
            ),
            UNIT: File(
                partial(
                    render,
                    "privacy/quietrelay-headers.service",
                    program=PROGRAM,
                    settings=SETTINGS,
                    key=fleet.KEY if privacy.fleet else "",
                )
            ),
        },
        daemons=(
            Daemon(
                "quietrelay-headers",
                UNIT,
                "/run/quietrelay-headers/pid",
                (PROGRAM, SETTINGS, *([fleet.KEY] if privacy.fleet else [])),
                MADE,
            ),
        ),
        postfix=configuration(privacy, mark),
        rereads=(RULES,),
        complaints={"detours": partial(_complaints, auth_on_25)},
        probes=(
            # Up to the recipient a message needs every part that rewrites it.
            "takes_a_recipient 10587 'the rewriting of the trace header' postfix/cleanup",
            f"rewrites 'Received: from home' pcre:{RULES} IGNORE",
            f"rewrites 'Message-ID: <1@home>' {JUDGE} 'REPLACE Message-ID: <1@'",
        ),
    )
    return merge(own, fleet.part(privacy))


def _complaints(auth_on_25: bool, ask: Ask) -> Iterator[str]:
    if found := ask(PostfixSays):  # once Postfix is installed
        ours = {key for key, said in found["options"].items() if said.get("cleanup_service_name") == CLEANUP}
        for_users = {"submission/inet", "submissions/inet", *ours} - {f"{LOOPBACK}/inet"}
        yield from obstacles.detours(found, sorted(for_users), auth_on_25)


def _rules(privacy: Privacy, hostname: str, mark: str) -> str:
    return render("privacy/privacy.pcre", **rules(privacy, hostname, mark))


def rules(privacy: Privacy, hostname: str, mark: str) -> dict[str, Any]:
    """Say what the names in the rules' template stand for."""
    return {
        "mark": mark,
        "trace": privacy_rules.trace_rule(privacy.trace, hostname, mark),
        "going": privacy_rules.going(privacy.fates),
        "version": privacy_rules.version_rule(),
    }


def mark_for(machine_id: str) -> str:
    """Derive what our own trace header says instead of "Postfix" until it is rewritten.

    Nobody who is not on the host may guess it, or a client could write a trace header that passes for ours;
    machine-id(5) is confidential, stays the same, and is not shown by a hash of it.
    """
    return "mark-" + sha256(f"quietrelay trace header {machine_id}".encode()).hexdigest()[:32]


def configuration(privacy: Privacy, mark: str) -> Configuration:
    """Say which mail goes through the rules (header_checks(5), access(5))."""
    classic = privacy.trace == "classic"
    rewritten: dict[str, str | None] = {
        "cleanup_service_name": CLEANUP,
        "mail_name": mark,
        "smtpd_command_filter": "$quietrelay_envelope",
        # Postfix 3.10 writes no client into its trace header then, whatever becomes of the rules.
        "smtpd_hide_client_session": "no" if classic else "yes",
        "smtpd_sasl_authenticated_header": "yes" if classic else None,
    }
    return Configuration(
        parameters={
            # A parameter of our own, for postconf(1) puts no blanks into master.cf. It leaves
            # smtpd_data_restrictions in main.cf to the admin.
            "quietrelay_user_mail": "check_sasl_access static:{FILTER anonymize:[127.0.0.1]:10587}",
            "quietrelay_envelope": privacy_rules.envelope(),
            "quietrelay_receipts": privacy_rules.receipts(),
            "quietrelay_judged": privacy_rules.judged(privacy.fates, JUDGE),
            # What the admin has for all transports is not for a step within the relay.
            "anonymize_destination_rate_delay": "0s",
            "anonymize_transport_rate_delay": "0s",
            "anonymize_destination_concurrency_limit": "20",
            # In main.cf, so that nothing that becomes of a file becomes of both.
            "quietrelay_guard": privacy_rules.guard(privacy.fates, privacy.private_domains),
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
                "header_checks": CHECKS,
                # The message's own MIME-Version and Content headers. Those of its parts are body here, and so
                # are the headers of attached and forwarded messages, which keep them, and their signatures.
                "mime_header_checks": CHECKS,
                "disable_mime_input_processing": "yes",
                # Message-ID, Date and From, where a device writes none (RFC 6409 8.1 to 8.3): by the relay's
                # name and clock, and from the envelope.
                "always_add_missing_headers": "yes",
                "nested_header_checks": "",
                "body_checks": "$quietrelay_receipts",
                "body_checks_size_limit": "51200",  # Postfix's own: an admin's is for other mail
                # What a milter of the admin's adds, before or after us.
                "milter_header_checks": CHECKS,
            },
            "anonymize/unix": {
                "smtp_tls_security_level": "none",
                "smtp_tls_wrappermode": "no",
                "smtp_sasl_auth_enable": "no",
                "smtp_bind_address": "",
                # No line is broken on the way to the rules: they would take the rest of an id for a word.
                "smtp_line_length_limit": "0",
                "smtp_header_checks": "",
                "smtp_mime_header_checks": "",
                "smtp_nested_header_checks": "",
                "smtp_body_checks": "",
                # Addresses are mapped once, where the mail leaves.
                "smtp_generic_maps": "",
                # A bounce from here would show the sender what only the relay knows: try again instead.
                "soft_bounce": "yes",
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
                "smtpd_end_of_data_restrictions": "",
                "smtpd_discard_ehlo_keywords": "",
                "smtpd_milters": "",
                # Nothing is made complete here that is left as it is on 465 and 587.
                "local_header_rewrite_clients": "",
                # Addresses were rewritten when the mail came in, and its size was checked.
                "receive_override_options": "no_address_mappings,no_unknown_recipient_checks",
                "message_size_limit": "0",
            },
        },
        where_known=frozenset({"smtpd_hide_client_session"}),
        confidential=frozenset({"mail_name"}),  # it is the mark
        inherits=dict.fromkeys((f"{CLEANUP}/unix", "anonymize/unix", f"{LOOPBACK}/inet"), ""),
    )
