"""Test hosts: whole Debian systems in containers on one machine, joined by a network of their own.

`python -m lab up` starts them, `lab.hosts` tells tests and inventories how to reach them.
"""
