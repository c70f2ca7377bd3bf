"""What a host's main.cf and master.cf say that would bare users or stop their mail. All of it is pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tasks.postfix.configuration import Postconf

# Below «encrypt» a connection may do without TLS, and smtp(8) then makes none that begins with it
# (postconf(5), smtp_tls_wrappermode).
OPTIONAL_TLS = ("none", "may", "dane")


# How parameters are called that come between a client and the rules, or around them.
PASSAGE = re.compile(r"(?:^|_)(?:filter|proxy|override|checks)(?:_|$)")
# Those of daemons that users' mail meets behind the rules, if at all.
ELSEWHERE = (
    "smtp_",
    "lmtp_",
    "postscreen_",
    "proxymap_",
    "tlsproxy_",
    "virtual_",
    "local_",
    "pipe_",
    "relay_",
)
# Of the others, by what they are about.
HARMLESS = frozenset(
    {
        # A message that is past the rules, or one of the relay's own.
        *("content_filter", "default_filter_nexthop", "default_delivery_status_filter"),
        *("duplicate_filter_limit", "internal_mail_filter_classes", "verp_delimiter_filter"),
        *("command_expansion_filter", "execution_directory_expansion_filter", "forward_expansion_filter"),
        # Commands and answers, not what a message holds.
        *("smtpd_command_filter", "smtpd_expansion_filter", "smtpd_dns_reply_filter"),
        "smtpd_sasl_mechanism_filter",
        # Where clients come from, and who looks tables up.
        *("smtpd_upstream_proxy_protocol", "smtpd_upstream_proxy_timeout", "proxy_interfaces"),
        *("proxy_read_maps", "proxy_write_maps"),
        # Nothing without smtpd_proxy_filter.
        *("smtpd_proxy_ehlo", "smtpd_proxy_options", "smtpd_proxy_timeout"),
        # How much of a body is checked, which the users' cleanup service has its own setting for.
        "body_checks_size_limit",
    }
)


class Said(NamedTuple):
    """A parameter's value for a service, and where it stands."""

    value: str
    place: str
    remove: str
    """Arguments of postconf(1) that take it away."""


def detours(found: Postconf, for_users: Iterable[str], on_25: bool) -> Iterator[str]:
    """Find what would lead users' mail round the rewriting of its headers.

    Of all parameters that this Postfix has: one of a kind that may do so, and that nobody has judged, does.

    :param for_users: services of smtpd that users' mail goes through, and no other, as ``submission/inet``
    :param on_25: whether users' mail comes in on port 25 as well
    """
    passages = [name for name in found["known"] if PASSAGE.search(name) and not name.startswith(ELSEWHERE)]
    tables = [name for name in passages if name.endswith("_checks")]  # a service's own, but on 25
    for name in (name for name in passages if name not in HARMLESS.union(tables)):
        for service in [*for_users, *(["smtp/inet"] if on_25 else [])]:
            said = _said(found, service, name)
            if said.value if name != "receive_override_options" else _overrides_rules(said, service):
                yield _detour(said, name)
    if on_25:
        # The last FILTER of a message counts (access(5)); ours comes with smtpd_data_restrictions.
        said = _said(found, "smtp/inet", "smtpd_end_of_data_restrictions")
        if said.value:
            yield _detour(said, "smtpd_end_of_data_restrictions", " where it answers with FILTER")
        for name in tables:
            said = _said(found, "smtp/inet", name)
            files = {word.partition(":")[2] for word in re.split(r"[\s,]+", said.value)}
            if "FILTER" in said.value or not files.isdisjoint(found["filtering"]):
                yield _detour(said, name, " by FILTER")


def _overrides_rules(said: Said, service: str) -> bool:
    """Tell whether headers go unchecked; on 25 the step within the relay checks them, by its own options."""
    return service != "smtp/inet" and ("no_header_body_checks" in said.value or "no_milters" in said.value)


def _detour(said: Said, name: str, when: str = "") -> str:
    instead = "" if not when else ", or Submission(auth_on_25=False)"
    return (
        f"{said.place} has {name} = {said.value}, which leads users' mail round the rewriting of its "
        f"headers{when}; remove it there: postconf {said.remove}{instead}"
    )


# services(5)
PORTS = {"smtp": "25", "smtps": "465", "submissions": "465", "urd": "465", "submission": "587"}


def rivals(found: Postconf, own: Mapping[str, object]) -> Iterator[str]:
    """Find services that listen where ours do, by another name, so that Postfix would not start.

    :param own: services of ours by key, None for those that go
    """
    for key in found["services"]:
        name, kind = key.rsplit("/", 1)
        spelled = name.rpartition(":")[2]
        port = PORTS.get(spelled, spelled)
        if kind == "inet" and key not in own and port in PORTS.values():
            yield (
                f"master.cf has {name} inet, which listens on port {port} beside ours, so that Postfix could "
                f"not start; remove it: postconf -MX {key}"
            )
    said = found["main"].get("master_service_disable", "")
    disabled = {*re.split(r"[\s,]+", said)}
    for key in (key for key, service in own.items() if service):
        name, kind = key.rsplit("/", 1)
        if kind == "inet" and not disabled.isdisjoint({"inet", f"{name}.inet", f"{name}/inet"}):
            yield (
                f"main.cf has master_service_disable = {said}, which keeps {name} from running; remove it: "
                "postconf -X master_service_disable"
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
