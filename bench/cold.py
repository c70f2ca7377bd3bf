"""A first run, beside a shell script that installs the same packages and writes the same files in one go."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from statistics import median

from bench.converged import PYINFRA, changes_nothing, inventory_of
from bench.host import HEALTH, PACKAGES, run_on
from bench.model import FILES, read, script
from bench.timing import run
from lab import lifecycle
from lab.topology import Host
from tasks.certificates import renewal
from tasks.certificates.part import DIRECTORY, RELAY_PEM
from tasks.login.saslauthd import daemon as saslauthd


def measure(model: Host, host: Host, rounds: int) -> Mapping[str, float]:
    """Give seconds: the medians of first runs on a host in its first state.

    :param model: a relay that deploy.py has made, whose files the script writes
    """
    whole = write_script(model, host)
    environment = inventory_of(host.name.partition(".")[0])
    ways: dict[str, Callable[[], object]] = {
        "script": lambda: run_on(host, whole, timeout=600),
        "deploy": lambda: run([*PYINFRA, "deploy.py"], environment),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, act in ways.items():
            lifecycle.reset(host)
            begin = time.monotonic()
            act()
            found[way].append(time.monotonic() - begin)
            assert run_on(host, HEALTH) == "", f"{host.name} is not up after {way}"
    # The script's relay is ours but for what only the deploy knows; the deploy's own is whole.
    assert changes_nothing(run([*PYINFRA, "deploy.py"], environment))
    return {way: median(times) for way, times in found.items()}


def write_script(model: Host, host: Host) -> str:
    """Write the script, which knows nothing but what has to be on the host."""
    own_ca = renewal.script(["own_ca.sh"], RELAY_PEM, [host.name], DAYS="365")
    return "\n".join(
        [
            "set -e; export DEBIAN_FRONTEND=noninteractive; umask 022",
            "debconf-set-selections <<END",
            "postfix postfix/main_mailer_type select Internet Site",
            f"postfix postfix/mailname string {host.name}",
            "END",
            "apt-get -qq update",
            f"apt-get -qq install --yes --no-install-recommends {' '.join(PACKAGES)} >/dev/null 2>&1",
            f"mkdir -p {DIRECTORY} {Path(saslauthd.GATE).parent} /etc/postfix/sasl /var/log/postfix",
            "chgrp adm /var/log/postfix; chmod 750 /var/log/postfix",
            f"bash -c {quote(own_ca)} renewal.sh renew",
            script(read(model, FILES), model, host),
            "usermod --append --groups sasl postfix",
            "systemctl daemon-reload",
            "systemctl enable --quiet saslauthd postfix",
            "systemctl enable --quiet --now quietrelay-logs.timer quietrelay-certificate.timer",
            "systemctl restart saslauthd postfix",
        ]
    )
