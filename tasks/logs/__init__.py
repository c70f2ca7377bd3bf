"""Logs: where Postfix logs, and for how long."""
