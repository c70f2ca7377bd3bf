"""Senders: who may relay, and as whom."""
