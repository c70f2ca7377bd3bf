"""Turns a Debian host into an authenticated outgoing mail relay. Each line is a part of it.

pyinfra inventories/prod.py deploy.py
"""

from pyinfra import host

import prefetch
from tasks import settings
from tasks.activation import activate, preflight
from tasks.certificates import part as certificates
from tasks.firewall import part as firewall
from tasks.firewall.section import Firewall
from tasks.host.facts.host import HostSays
from tasks.login import part as login
from tasks.logs import part as logs
from tasks.part import Part, merge
from tasks.privacy import part as privacy
from tasks.queue import part as queue
from tasks.senders import part as senders
from tasks.settings import Settings
from tasks.smarthost import part as smarthost
from tasks.smtpd import part as smtpd
from tasks.smuggling import part as smuggling
from tasks.tls import part as tls


def relay(says: Settings, found: HostSays) -> Part:
    """Say what a relay is: the desired host, as one value.

    :param says: what the inventory says of it
    :param found: what its host is
    """
    return merge(
        smtpd.part(says.relay, says.hostname, found, says.submission.insecure_tls_port),
        login.part(says.login, says.submission, says.hostname),
        senders.part(says.senders, says.submission.local_domain, says.login),
        certificates.part(
            says.certificate, says.served_names, says.relay.certificate_days, says.firewall.open_ports
        ),
        tls.part(says.server_tls, says.client_tls, found["unvalidated"]),
        smarthost.part(says.smarthost),
        queue.part(says.queue),
        privacy.part(says.privacy, says.hostname, found["machine_id"], says.submission.auth_on_25),
        logs.part(says.logs),
        firewall.part(says.firewall),
        smuggling.part(),
    )


def nothing() -> Part:
    """Say what is wanted of a host that is no relay any more: what only a run can take back."""
    return merge(firewall.part(Firewall(open_ports=False)))


if __name__ != "deploy":  # pyinfra runs this; others import `relay` alone
    prefetch.facts(host)  # what will be asked, in one question; nobody else needs to know
    says, found = settings.of(host), preflight.look()
    activate.activate(relay(says, found), found)
