"""Conversations that are safe with relays that serve users: they change nothing there."""
