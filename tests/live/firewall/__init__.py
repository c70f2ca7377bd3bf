"""The host's firewall lets mail in."""
