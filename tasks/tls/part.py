"""TLS, towards those who connect to the relay and towards the servers that it delivers to."""

from collections.abc import Iterator
from functools import partial

from tasks.host.templates import render
from tasks.part import Ask, File, Part, merge
from tasks.postfix import obstacles
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import PostfixSays
from tasks.tls import dane, mta_sts
from tasks.tls.sections import ClientTls, ServerTls

POLICY = "/etc/postfix/tls_policy"

# Mozilla's intermediate profile. The list belongs to the grade "high", which here only the server uses: a
# client that insisted on it would fall back to plain text with older servers.
INTERMEDIATE_CIPHERS = ":".join(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]
)


def part(server: ServerTls, client: ClientTls, unvalidated: str) -> Part:
    """Say what Postfix does about TLS, on both sides, and for single destinations (TLS_README).

    :param unvalidated: why what the host's resolver says does not count as validated; empty where it does
    """
    level = dane.level(client, unvalidated)
    common = Part(
        # What other servers' and the directory's certificates are checked against.
        packages=("ca-certificates", "openssl"),
        files={POLICY: File(partial(render, "tls/tls_policy", policies=client.policy))},
        postfix=Configuration(
            parameters=_server(server) | _client(client, level),
            options={
                "submission/inet": {"smtpd_tls_security_level": "encrypt"},
                "submissions/inet": {"smtpd_tls_security_level": "encrypt", "smtpd_tls_wrappermode": "yes"},
            },
        ),
        rereads=(POLICY,),
        complaints={"smarthost": partial(_complaints, client, level)},
    )
    by_dane = level in dane.LEVELS
    more = [mta_sts.part(by_dane)] if client.mta_sts else []
    return merge(common, dane.part(client, unvalidated), *more)


def _complaints(client: ClientTls, level: str, ask: Ask) -> Iterator[str]:
    if found := ask(PostfixSays):  # once Postfix is installed
        yield from obstacles.standstills(found, level, client.policy)


def _server(server: ServerTls) -> dict[str, str | None]:
    return {
        "smtpd_use_tls": None,
        "smtpd_enforce_tls": None,
        "smtpd_tls_security_level": "may",
        "smtpd_tls_auth_only": "yes",
        "smtpd_tls_protocols": ">=TLSv1.2",
        "smtpd_tls_mandatory_protocols": ">=TLSv1.2",
        "smtpd_tls_ciphers": "high",
        "smtpd_tls_mandatory_ciphers": "high",
        "tls_high_cipherlist": INTERMEDIATE_CIPHERS,
        "tls_preempt_cipherlist": "no",
        "tls_eecdh_auto_curves": "X25519 prime256v1 secp384r1",
        "smtpd_tls_loglevel": str(server.log_level),
        "smtpd_tls_received_header": "yes" if server.received_header else "no",
        "smtpd_tls_session_cache_database": _cache("smtpd") if server.session_cache else "",
    }


def _client(client: ClientTls, level: str) -> dict[str, str | None]:
    # The first that knows a destination decides: the operator, then DANE, then MTA-STS.
    maps = [f"texthash:{POLICY}", *(mta_sts.maps(level in dane.LEVELS) if client.mta_sts else ())]
    return {
        "smtp_use_tls": None,
        "smtp_enforce_tls": None,
        "smtp_tls_per_site": None,
        "smtp_tls_security_level": level,
        "smtp_tls_CAfile": client.ca_file,
        "smtp_tls_loglevel": str(client.log_level),
        "smtp_tls_session_cache_database": _cache("smtp") if client.session_cache else "",
        "smtp_tls_policy_maps": ", ".join(maps),
    }


def _cache(side: str) -> str:
    return f"btree:${{data_directory}}/{side}_scache"
