"""Smarthost: mail for others goes to one server, by a transport of its own that inherits no TLS and no login.

So what the admin or another setting has for other deliveries does not hold there, and the other way round:
smtp_tls_wrappermode, a policy, another server's password. The step within the relay that users' mail of
port 25 takes has nothing of it either.
"""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from pydantic import SecretStr

from tasks.host.templates import program, render
from tasks.inventory.operator_files import read_secret
from tasks.part import Account, Check, File, Part, Server
from tasks.part.check import Result, first_line
from tasks.postfix.configuration import Configuration, Service
from tasks.servers import trust
from tasks.smarthost.section import Smarthost

SERVICE = "smarthost/unix"
PASSWORDS = "/etc/postfix/smarthost"
CA = "/etc/postfix/smarthost.ca.pem"


def part(smarthost: Smarthost) -> Part:
    """Hand mail to the smarthost, if there is one (postconf(5), default_transport)."""
    if smarthost.host is None:
        return Part()
    passwords = File(partial(_passwords, smarthost), mode="600") if smarthost.username else None
    return Part(
        # libsasl's PLAIN and LOGIN, for a client too.
        packages=("libsasl2-modules", "ca-certificates", "python3"),
        files={
            **({PASSWORDS: passwords} if passwords else {}),
            **trust.files("smarthost.ca_file", smarthost.ca_file, CA, "smarthost"),
        },
        postfix=configuration(smarthost),
        servers=(
            Server(
                smarthost.nexthop,
                smarthost.host,
                smarthost.port,
                trust.path(smarthost.ca_file, CA),
                "" if smarthost.begins_with_tls else "smtp",
                section="smarthost",
            ),
        ),
        rereads=tuple(path for path, named in ((PASSWORDS, passwords), (CA, smarthost.ca_file)) if named),
        checks=(partial(checks, smarthost),),
    )


def configuration(smarthost: Smarthost) -> Configuration:
    """Say how the smarthost is reached (SOHO_README, TLS_README)."""
    logs_in: dict[str, str | None] = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": f"texthash:{PASSWORDS}",
        # TLS with the right server is there before a password is sent.
        "smtp_sasl_security_options": "noanonymous",
        "smtp_sasl_tls_security_options": "noanonymous",
        "smtp_sasl_mechanism_filter": "",
    }
    return Configuration(
        parameters={"default_transport": f"smarthost:{smarthost.nexthop}"},
        services={SERVICE: Service("smtp", private="-")},
        options={
            SERVICE: {
                "syslog_name": "postfix/smarthost",
                "smtp_tls_security_level": "secure",
                "smtp_tls_wrappermode": "yes" if smarthost.begins_with_tls else "no",
                "smtp_tls_secure_cert_match": "nexthop",
                "smtp_tls_policy_maps": "",
                "smtp_tls_CAfile": trust.path(smarthost.ca_file, CA),
                **(logs_in if smarthost.username else {"smtp_sasl_auth_enable": "no"}),
            }
        },
    )


def _passwords(smarthost: Smarthost) -> SecretStr:
    password = read_secret("smarthost.password_file", smarthost.password_file)
    return SecretStr(
        render(
            "smarthost/smarthost",
            nexthop=smarthost.nexthop,
            username=smarthost.username,
            password=password.get_secret_value(),
        )
    )


def checks(smarthost: Smarthost, account: Account | None) -> Iterator[Check]:
    """See that the smarthost lets the relay in, as Postfix will ask it to."""
    words = [smarthost.host or "", str(smarthost.port), "tls" if smarthost.begins_with_tls else "starttls"]
    words += [trust.path(smarthost.ca_file, CA), *([PASSWORDS] if smarthost.username else [])]
    yield Check(
        f"smarthost {smarthost.host} takes mail from this relay",
        f"python3 -I -c {quote(program('ask_smarthost.py'))} {' '.join(map(quote, words))}",
        judge,
    )


def judge(result: Result) -> str:
    """Tell why the smarthost does not."""
    return "" if result.succeeded else first_line(result.output) or "no answer"
