"""Turns a Debian host into an authenticated outgoing mail relay. Each line is a step, in this order.

pyinfra inventories/prod.py deploy.py
"""

from pyinfra import host

import prefetch
from tasks import (
    activate,
    certificates,
    firewall,
    logs,
    ownership,
    packages,
    postfix,
    preflight,
    privacy,
    remains,
    sasl,
    tls,
)
from tasks.configuration import merge

prefetch.facts(host)  # what all steps ask, in one question; they need not know

preflight.check()  # refuses what cannot work, before anything on any host is changed

packages.install()
certificates.install()
configuration = merge(
    sasl.configure(),
    postfix.configure(),
    ownership.configure(),
    tls.configure(),
    privacy.configure(),
    logs.configure(),
)
firewall.admit()
activate.switch(configuration)
remains.remove(*sasl.remains(), ownership.remains())  # of other settings, which nobody reads any more
