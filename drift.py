"""Looks what of relays differs from the inventory, and changes nothing; ``quietrelay drift`` tells it.

pyinfra inventories/prod.py drift.py --dry
"""

from pyinfra import host

import prefetch
from deploy import relay
from tasks import settings
from tasks.activation import drift, preflight
from tasks.host.facts.host import UNKNOWN

prefetch.facts(host)
says = settings.of(host)
# What no deploy asks comes first, and all else with it.
days = drift.days_left(relay(says, UNKNOWN), says.relay.certificate_days)
found = preflight.look()
drift.look(relay(says, found), found, days)
