"""The fleet as an inventory, like the lab's own: the first $BENCH_RELAYS relays, or the host of that name.

Users may send from their own addresses alone, as it should be in production. With $BENCH_PORT each is reached
through a port of this machine, from that one on (`bench.distance`). With $BENCH_DAYS they keep mail for that
long, and the $BENCH_FAULTY-th has a wrong password for the directory (`bench.rollout`).
"""

import os
import runpy

from bench.distance import KNOWN_HOSTS
from bench.fleet import chosen
from bench.rollout import WRONG
from lab.topology import RELAY_DOMAIN
from tasks.settings import Queue, SendersByLogin

_first = int(os.environ.get("BENCH_PORT", "0"))
_, _data = runpy.run_path("inventories/lab.py")["relays"]
_far = {"ssh_hostname": "127.0.0.1", "ssh_known_hosts_file": str(KNOWN_HOSTS)}

_faulty = int(os.environ.get("BENCH_FAULTY", "0")) - 1
_days = {"queue": Queue(lifetime_days=int(days))} if (days := os.environ.get("BENCH_DAYS")) else {}
_wrong = {"login": _data["login"].model_copy(update={"bind_password_file": str(WRONG)})}

relays = (
    [
        (
            host.name,
            (_far | {"ssh_port": _first + place} if _first else {"ssh_hostname": host.ipv4})
            | (_wrong if place == _faulty else {}),
        )
        for place, host in enumerate(chosen(os.environ["BENCH_RELAYS"]))
    ],
    _data | _days | {"senders": SendersByLogin(domains=[RELAY_DOMAIN])},
)
