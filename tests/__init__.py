"""Tests: `unit` needs no host, `live` talks to the hosts of an inventory."""
