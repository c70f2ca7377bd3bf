"""What a host's main.cf and master.cf say that would bare users or stop their mail. All of it is pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tasks.postfix.configuration import Postconf

# Below «encrypt» a connection may do without TLS, and smtp(8) then makes none that begins with it
# (postconf(5), smtp_tls_wrappermode).
OPTIONAL_TLS = ("none", "may")


class Said(NamedTuple):
    """A parameter's value for a service, and where it stands."""

    value: str
    place: str
    remove: str
    """Arguments of postconf(1) that take it away."""


def detours(found: Postconf, for_users: Iterable[str]) -> Iterator[str]:
    """Find where smtpd hands mail to a proxy, and so never to the cleanup service that rewrites it.

    :param for_users: services of smtpd that users' mail goes through, as ``submission/inet``
    """
    for service in for_users:
        said = _said(found, service, "smtpd_proxy_filter")
        if said.value:
            yield (
                f"{said.place} has smtpd_proxy_filter = {said.value}, which leads users' mail round the "
                f"rewriting of its headers; remove it there: postconf {said.remove}"
            )


def standstills(found: Postconf, level: str, policies: Mapping[str, str]) -> Iterator[str]:
    """Find where all deliveries would be put off, with no more than a warning in the log.

    :param level: smtp_tls_security_level that the relay is to have
    :param policies: destination to its own TLS policy
    """
    smarthost = found["main"].get("relayhost", "")
    for service in (key for key, entry in found["services"].items() if entry[-1] == "smtp"):
        said = _said(found, service, "smtp_tls_wrappermode")
        own = found["options"].get(service, {}).get("smtp_tls_security_level", level)
        its = policies.get(smarthost, own).split()[0]
        if said.value.lower() == "yes" and its in OPTIONAL_TLS:
            policy = f"ClientTls(policy={{{smarthost!r}: 'encrypt'}})"
            yield (
                f"{said.place} has smtp_tls_wrappermode = yes, which delivers nothing where TLS is optional, "
                f"as client_tls.security_level has it, {its!r}; set ClientTls(security_level='encrypt')"
                + (f", or {policy} for the smarthost alone" if smarthost else "")
                + f", or remove it: postconf {said.remove}"
            )


def _said(found: Postconf, service: str, name: str) -> Said:
    options = found["options"].get(service, {})
    if name in options:
        return Said(options[name], f"{service} in master.cf", f"-PX {service}/{name}")
    return Said(found["main"].get(name, ""), "main.cf", f"-X {name}")
