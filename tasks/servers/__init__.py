"""Servers elsewhere that the relay asks, and whether they can be trusted."""
