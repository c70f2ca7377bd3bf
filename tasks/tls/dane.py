"""DANE: other servers' keys are looked for in DNS, where that is validated (RFC 7672). Pure; no host."""

from collections.abc import Iterator
from functools import partial

from tasks.host.templates import program
from tasks.part import Account, Ask, Check, Part
from tasks.part.check import Result, first_line
from tasks.postfix.configuration import Configuration
from tasks.postfix.facts import PostfixSays
from tasks.tls.sections import ClientTls

LEVELS = ("dane", "dane-only")
REMEDY = (
    "have the host ask a resolver of its own that validates, as unbound does once it is installed and "
    "/etc/resolv.conf names 127.0.0.1"
)
# The resolver's reason first, and then what Postfix does.
LOOK = f"{program('resolver.sh')}\n"
CHECK = f"(\n{LOOK})\necho\npostconf -h smtp_tls_security_level\n"


def level(client: ClientTls, unvalidated: str) -> str:
    """Say what is Postfix's smtp_tls_security_level.

    :param unvalidated: why what the host's resolver says does not count as validated; empty where it does
    """
    if client.security_level != "auto":
        return client.security_level
    return "may" if unvalidated else "dane"


def part(client: ClientTls, unvalidated: str) -> Part:
    """Have DNS be asked for keys, where that is wanted and means something."""
    found = level(client, unvalidated)
    needed = found in LEVELS or bool(_policies(client))
    dnssec: dict[str, str | None] = {"smtp_dns_support_level": "dnssec"}
    return Part(
        postfix=Configuration(parameters=dnssec if needed else {}),
        complaints={"dnssec": partial(_complaints, client, unvalidated)},
        notes=(_note(unvalidated),) if client.security_level == "auto" else (),
        checks=(partial(_checks, client),),
    )


def _policies(client: ClientTls) -> list[str]:
    return [name for name, policy in client.policy.items() if policy.split()[0] in LEVELS]


def _note(unvalidated: str) -> str:
    if unvalidated:
        return f"without DANE towards other servers (client_tls.security_level is 'may'): {unvalidated}"
    return "with DANE towards other servers (client_tls.security_level is 'dane'): its resolver validates"


def _complaints(client: ClientTls, unvalidated: str, ask: Ask) -> Iterator[str]:
    """Refuse what would protect nobody, and to weaken unasked what protects."""
    if not unvalidated:
        return
    if client.security_level == "dane":
        yield f"client_tls.security_level: 'dane' protects nothing: {unvalidated}; {REMEDY}, or set 'auto'"
    elif destinations := _policies(client):
        yield (
            f"client_tls.policy: nothing is delivered to {', '.join(destinations)} by DANE: {unvalidated}; "
            f"{REMEDY}, or give another policy"
        )
    elif client.security_level == "auto":
        said = ask(PostfixSays)
        if said and said["main"].get("smtp_tls_security_level") in LEVELS:
            yield (
                f"the host delivers by DANE, and cannot any more: {unvalidated}; {REMEDY}, or set "
                "ClientTls(security_level='may')"
            )


def _checks(client: ClientTls, account: Account | None) -> Iterator[Check]:
    if client.security_level in ("auto", "dane"):
        judge, tell = partial(judged, client.security_level), told
        yield Check(
            "other servers' keys are looked for in DNS where that is validated", CHECK, judge, tells=tell
        )


def judged(wanted: str, result: Result) -> str:
    """Say what is wrong with DANE on a host.

    :param wanted: client_tls.security_level, ``auto`` or ``dane``
    :param result: of `CHECK`
    """
    unvalidated, runs = _read(result)
    if unvalidated and (wanted == "dane" or runs in LEVELS):
        return f"{unvalidated}; {REMEDY}"
    if not unvalidated and runs not in LEVELS:
        return f"its resolver validates by DNSSEC, and Postfix has smtp_tls_security_level = {runs}; deploy"
    return ""


def told(result: Result) -> str:
    """Say why there is no DANE where it is not wanted at all costs."""
    unvalidated, _ = _read(result)
    return f"not here, for {unvalidated}" if unvalidated else ""


def _read(result: Result) -> tuple[str, str]:
    *reason, runs = result.output.strip("\n").split("\n")
    return first_line("\n".join(reason)), runs
