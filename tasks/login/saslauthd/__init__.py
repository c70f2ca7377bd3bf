"""Backends that have saslauthd check passwords."""
