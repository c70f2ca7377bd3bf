"""Turns a Debian host into an authenticated outgoing mail relay. Each line is a step, in this order.

pyinfra inventories/prod.py deploy.py
"""

from pyinfra import host

import prefetch
from tasks.activation import activate, packages, preflight
from tasks.activation import leftovers as remains
from tasks.certificates import part as certificates
from tasks.firewall import part as firewall
from tasks.login import part as sasl
from tasks.logs import part as logs
from tasks.postfix.configuration import merge
from tasks.privacy import part as privacy
from tasks.senders import part as ownership
from tasks.smtpd import part as postfix
from tasks.tls import part as tls

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
