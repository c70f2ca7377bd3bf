"""Smuggling: where a message ends."""
