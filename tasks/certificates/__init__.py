"""Certificates: what the relay shows to those who connect."""
