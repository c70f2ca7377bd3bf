"""Conversations that need the lab: hosts that may be broken, and users who are known. A folder is a theme."""
