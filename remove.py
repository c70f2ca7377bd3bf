"""Takes relays away: hosts are as before the first deploy. ``QUIETRELAY_PACKAGES=yes`` has packages go, too.

pyinfra inventories/prod.py remove.py
"""

import os

from pyinfra import host

import prefetch
from deploy import nothing, relay
from tasks import settings
from tasks.activation import preflight, removal

prefetch.facts(host)
found = preflight.look()
if preflight.served(found):
    packages = os.environ.get("QUIETRELAY_PACKAGES") == "yes"
    removal.remove(relay(settings.of(host), found), nothing(), packages)
