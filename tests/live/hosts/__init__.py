"""Hosts that are not new: what an admin has on them already."""
