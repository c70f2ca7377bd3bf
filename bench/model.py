"""A relay that deploy.py has made, as the model of others: its files, with the other's names in them."""

import shlex

from bench.host import run_on
from lab.topology import Host
from tasks.certificates import renewal
from tasks.login.saslauthd import daemon as saslauthd
from tasks.privacy.part import mark_for

CONFIGURATION = ["/etc/postfix/main.cf", "/etc/postfix/master.cf"]
FILES = [
    "/etc/saslauthd.ca.pem",
    "/etc/saslauthd.conf",
    saslauthd.GATE,
    "/etc/systemd/system/saslauthd.service",
    "/etc/systemd/system/quietrelay-certificate.service",
    "/etc/systemd/system/quietrelay-certificate.timer",
    renewal.PROGRAM,
    "/etc/systemd/system/quietrelay-logs.service",
    "/etc/systemd/system/quietrelay-logs.timer",
    "/etc/postfix/sasl/smtpd.conf",
    "/etc/postfix/tls_policy",
    "/etc/postfix/privacy.pcre",
    *CONFIGURATION,
]
MODES = {"/etc/saslauthd.conf": "600"}  # of what is not for everybody


def mark(host: Host) -> str:
    """Derive what a relay's trace headers say until they are rewritten."""
    return mark_for(run_on(host, "cat /etc/machine-id").strip())


def read(model: Host, paths: list[str]) -> dict[str, str]:
    """Read files of the model: path to text."""
    return {path: run_on(model, f"cat {path}") for path in paths}


def script(files: dict[str, str], model: Host, host: Host) -> str:
    """Make the script that writes the model's files where they are not on another host."""
    names = {model.name: host.name, model.name.replace(".", "\\."): host.name.replace(".", "\\.")}
    names[mark(model)] = mark(host)
    lines = []
    for path, text in files.items():
        for ours, theirs in names.items():
            text = text.replace(ours, theirs)
        make = f"install -m {MODES.get(path, '644')} /dev/null {path}; printf %s {shlex.quote(text)} > {path}"
        lines.append(f"printf %s {shlex.quote(text)} | cmp -s - {path} || {{ {make}; }}")
    return "\n".join(lines)
