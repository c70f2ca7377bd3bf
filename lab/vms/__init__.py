"""Test hosts as real machines: what the lab has in containers, on VMs that Vagrant runs.

`python -m lab.vms up` builds the boxes and starts the machines, `lab.vms.hosts` tells inventories and tests
how to reach them.
"""

import logging

# python-vagrant warns when it is imported and finds no vagrant; we say it ourselves, where it matters.
logging.getLogger("vagrant").addHandler(logging.NullHandler())
