"""Unit tests of tasks/firewall."""
