"""The fleet as an inventory, like the lab's own: the first $BENCH_RELAYS relays, or the host of that name.

Users may send from their own addresses alone, as it should be in production. With $BENCH_PORT each is reached
through a port of this machine, from that one on (`bench.distance`).
"""

import os
import runpy

from bench.distance import KNOWN_HOSTS
from bench.fleet import chosen
from lab.topology import RELAY_DOMAIN
from tasks.senders.sections import SendersByLogin

_first = int(os.environ.get("BENCH_PORT", "0"))
_, _data = runpy.run_path("inventories/lab.py")["relays"]
_far = {"ssh_hostname": "127.0.0.1", "ssh_known_hosts_file": str(KNOWN_HOSTS)}

relays = (
    [
        (host.name, _far | {"ssh_port": _first + place} if _first else {"ssh_hostname": host.ipv4})
        for place, host in enumerate(chosen(os.environ["BENCH_RELAYS"]))
    ],
    _data | {"senders": SendersByLogin(domains=[RELAY_DOMAIN])},
)
