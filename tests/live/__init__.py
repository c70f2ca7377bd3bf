"""Conversations with the hosts of an inventory."""
