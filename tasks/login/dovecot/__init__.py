"""Backends that have Dovecot check passwords."""
